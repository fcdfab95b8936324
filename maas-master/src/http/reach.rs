//! `/api/v1/reach`: what the port of a registration says to this master. For `maas_deploy doctor`, which looks from here.
//!
//! Only what is registered is asked: the url is taken from the registry, never from the question.

use super::error::{Answer, Refusal};
use super::routes::Checked;
use super::state::App;
use axum::Json;
use axum::extract::State;
use maas_cli::ErrorCode;
use maas_client::api::ReachView;
use maas_client::model::ModelName;
use maas_client::reach::reach;
use maas_client::registry;
use serde::Deserialize;
use std::time::Duration;

/// How long the connection may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Which registration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    name: ModelName,
    id: String,
}

pub(super) async fn look(State(app): State<App>, Checked(which): Checked<Which>) -> Answer<ReachView> {
    let Which { name, id } = which;
    let missing = || {
        let shown: String = id.chars().take(80).collect();
        Refusal::new(ErrorCode::NoInstance, format!("{name} has no registration {shown:?}"))
    };
    // A node's name: no separator, nothing that a path could be made of.
    if matches!(id.as_str(), "" | "." | "..") || id.contains('/') || id.chars().any(char::is_control) {
        return Err(missing());
    }
    let path = app.roots().registration(name.as_str(), &id);
    let node = app.ask(app.tree().get(&path)).await?.ok_or_else(missing)?;
    let endpoint = registry::decode(name.as_str(), &id, &node)
        .map_err(|error| Refusal::new(ErrorCode::Conflict, format!("{path} can't be read: {error}")))?;
    let (answer, detail) = reach(&endpoint.url, TIMEOUT).await;
    Ok(Json(ReachView { id, url: endpoint.url.to_string(), answer, detail }))
}
