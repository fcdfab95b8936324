//! `/api/v1/instances` and `/api/v1/instances/{id}`.

use super::error::{Answer, Refusal};
use super::routes::{Checked, Segments};
use super::state::App;
use axum::Json;
use axum::extract::State;
use maas_cli::ErrorCode;
use maas_client::api::InstanceView;
use maas_client::model::{ModelName, ModelVersion};
use serde::Deserialize;

/// Which instances.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    name: Option<ModelName>,
    version: Option<ModelVersion>,
}

pub(super) async fn list(State(app): State<App>, Checked(filter): Checked<Filter>) -> Answer<Vec<InstanceView>> {
    let instances = app.models().await?.into_iter().flat_map(|model| model.instances);
    let wanted = |instance: &InstanceView| {
        filter.name.as_ref().is_none_or(|name| *name == instance.name)
            && filter.version.as_ref().is_none_or(|version| *version == instance.version)
    };
    Ok(Json(instances.filter(wanted).collect()))
}

pub(super) async fn one(State(app): State<App>, Segments(id): Segments<String>) -> Answer<InstanceView> {
    Ok(Json(find(&app, &id).await?))
}

/// The instance of this id, among those that are known: nothing of the id reaches a path before this.
pub(super) async fn find(app: &App, id: &str) -> Result<InstanceView, Refusal> {
    let mut instances = app.models().await?.into_iter().flat_map(|model| model.instances);
    instances.find(|instance| instance.id == id).ok_or_else(|| {
        let shown: String = id.chars().take(80).collect();
        Refusal::new(ErrorCode::NoInstance, format!("there is no instance {shown:?}; GET /api/v1/instances lists them"))
    })
}
