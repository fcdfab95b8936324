//! `/api/v1/models`, `/api/v1/models/{name}/{version}` and `/api/v1/status`.

use super::error::{Answer, Refusal};
use super::routes::Segments;
use super::state::App;
use axum::Json;
use axum::extract::State;
use maas_cli::{ErrorCode, suggest};
use maas_client::api::{ModelView, ServiceView};
use maas_client::model::{ModelName, ModelVersion};

pub(super) async fn list(State(app): State<App>) -> Answer<Vec<ModelView>> {
    Ok(Json(app.models().await?))
}

pub(super) async fn one(
    State(app): State<App>,
    Segments((name, version)): Segments<(String, String)>,
) -> Answer<ModelView> {
    let (name, version) = checked(&name, &version)?;
    let models = app.models().await?;
    find(models, &name, &version).map(Json)
}

pub(super) async fn service(State(app): State<App>) -> Answer<ServiceView> {
    Ok(Json(app.service().await?))
}

pub(super) fn checked(name: &str, version: &str) -> Result<(ModelName, ModelVersion), Refusal> {
    let refused = |error: maas_client::model::Error| Refusal::new(ErrorCode::BadName, error.to_string());
    Ok((name.parse().map_err(refused)?, version.parse().map_err(refused)?))
}

fn find(models: Vec<ModelView>, name: &ModelName, version: &ModelVersion) -> Result<ModelView, Refusal> {
    let (of_name, others): (Vec<_>, Vec<_>) = models.into_iter().partition(|model| model.name == *name);
    if of_name.is_empty() {
        let hint = suggest::hint(name.as_str(), others.iter().map(|model| model.name.as_str()));
        return Err(Refusal::new(ErrorCode::NoModel, format!("there is no model {name}{hint}")));
    }
    let mut versions: Vec<String> = of_name.iter().map(|model| model.version.to_string()).collect();
    versions.reverse();
    of_name.into_iter().find(|model| model.version == *version).ok_or_else(|| {
        let detail = format!("{name} has no version {version}; it has {}", versions.join(", "));
        Refusal::new(ErrorCode::NoVersion, detail)
    })
}
