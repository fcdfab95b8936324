//! `/api/v1/events`: what happened, oldest first.

use super::error::{Answer, Refusal};
use super::routes::Checked;
use super::state::App;
use axum::Json;
use axum::extract::State;
use maas_cli::ErrorCode;
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
    if let Some(after) = filter.after.as_deref().filter(|after| !is_id(after)) {
        let shown: String = after.chars().take(80).collect();
        let detail = format!("after: {shown:?} is no event's id; they are like 000003-00000042");
        return Err(Refusal::new(ErrorCode::Usage, detail));
    }
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

/// Whether this is the text of an id: two numbers. Which events there are does not matter.
fn is_id(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-').is_some_and(|(epoch, sequence)| is_number(epoch) && is_number(sequence))
}
