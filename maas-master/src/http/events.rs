//! `/api/v1/events`: what happened, oldest first.

use super::error::Answer;
use super::routes::Checked;
use super::state::App;
use axum::Json;
use axum::extract::State;
use maas_client::event::Event;
use maas_client::model::{ModelName, ModelVersion};
use serde::Deserialize;

/// How many events one answer holds at most.
const MOST: usize = 10_000;

/// Which events.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    name: Option<ModelName>,
    version: Option<ModelVersion>,
    /// Only those after the event of this id.
    after: Option<String>,
    /// With `after` the first so many after it, so that nobody who reads on misses any; else the newest so many.
    limit: Option<usize>,
}

pub(super) async fn list(State(app): State<App>, Checked(filter): Checked<Filter>) -> Answer<Vec<Event>> {
    let all = match app.view().leading() {
        Some(_) => app.log().all(),
        None => app.seen().await?.events.clone(),
    };
    let wanted = |event: &Event| {
        filter.name.as_ref().is_none_or(|name| event.name.as_ref() == Some(name))
            && filter.version.as_ref().is_none_or(|version| event.version.as_ref() == Some(version))
            && filter.after.as_ref().is_none_or(|after| event.id > *after)
    };
    let mut events: Vec<Event> = all.into_iter().filter(wanted).collect();
    let most = filter.limit.unwrap_or(MOST).min(MOST);
    if filter.after.is_some() {
        events.truncate(most);
    } else {
        events.drain(..events.len().saturating_sub(most));
    }
    Ok(Json(events))
}
