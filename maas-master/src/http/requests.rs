//! `/api/v1/requests`: what was asked and what became of it, read from ZooKeeper, kept for when it is away.

use super::error::{Answer, Refusal};
use super::routes::{Checked, Segments};
use super::state::App;
use axum::Json;
use axum::extract::State;
use futures_util::StreamExt;
use maas_cli::ErrorCode;
use maas_client::state::{Outcome, RequestRecord};
use maas_client::tree::TreeExt;
use serde::Deserialize;
use std::sync::{Arc, PoisonError};

/// How many outcomes one answer holds unless more are asked for.
const USUAL: usize = 200;
/// How many at most, and how many are kept in memory.
const MOST: usize = 2_000;
/// How many are read at once.
const AT_ONCE: usize = 64;

/// Which requests.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    /// Only those refused.
    refused: Option<bool>,
    /// The newest so many.
    limit: Option<usize>,
}

pub(super) async fn list(State(app): State<App>, Checked(filter): Checked<Filter>) -> Answer<Vec<RequestRecord>> {
    let limit = filter.limit.unwrap_or(USUAL).min(MOST);
    let only_refused = filter.refused.unwrap_or(false);
    // Refused ones may lie far back among many: look at as many as there may be.
    let looked_at = if only_refused { MOST } else { limit };
    let mut records: Vec<RequestRecord> = newest(&app, looked_at)
        .await?
        .into_iter()
        .filter(|record| !only_refused || record.outcome == Outcome::Refused)
        .map(|record| (*record).clone())
        .collect();
    records.drain(..records.len().saturating_sub(limit));
    Ok(Json(records))
}

pub(super) async fn one(State(app): State<App>, Segments(id): Segments<String>) -> Answer<RequestRecord> {
    let unknown = || {
        let shown: String = id.chars().take(80).collect();
        Refusal::new(
            ErrorCode::NoRequest,
            format!("there is no request {shown:?}; it waits in the queue, or is older than what is kept"),
        )
    };
    let well_formed = id.len() <= 64
        && id.starts_with(maas_client::queue::PREFIX)
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !well_formed {
        return Err(unknown());
    }
    let record = read(&app, id.clone()).await?.ok_or_else(unknown)?;
    Ok(Json((*record).clone()))
}

/// The newest outcomes, oldest first; from memory when ZooKeeper is away.
async fn newest(app: &App, limit: usize) -> Result<Vec<Arc<RequestRecord>>, Refusal> {
    let mut ids = match app.ask(app.tree().children(&app.roots().requests())).await {
        Ok(children) => children.unwrap_or_default(),
        Err(error) if error.is_retryable() => {
            let cache = app.request_cache().lock().unwrap_or_else(PoisonError::into_inner);
            if cache.is_empty() {
                return Err(error.into());
            }
            cache.keys().cloned().collect()
        }
        Err(error) => return Err(error.into()),
    };
    ids.sort_by_cached_key(|id| arrival(id));
    let ids = ids.split_off(ids.len().saturating_sub(limit));
    let reads = futures_util::stream::iter(ids.into_iter().map(|id| read(app, id))).buffered(AT_ONCE);
    let read: Vec<Result<Option<Arc<RequestRecord>>, Refusal>> = reads.collect().await;
    // One that was trimmed in between is simply gone.
    read.into_iter().filter_map(Result::transpose).collect()
}

async fn read(app: &App, id: String) -> Result<Option<Arc<RequestRecord>>, Refusal> {
    let cached = {
        let cache = app.request_cache().lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(&id).cloned()
    };
    if cached.is_some() {
        return Ok(cached);
    }
    let path = app.roots().request(&id);
    let Some((parsed, _)) = app.ask(app.tree().get_json::<RequestRecord>(&path)).await? else {
        return Ok(None);
    };
    // An outcome that can't be read is a newer program's: not ours to show.
    let Ok(record) = parsed else { return Ok(None) };
    let record = Arc::new(record);
    let mut cache = app.request_cache().lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= MOST {
        let oldest = cache.keys().min_by_key(|id| arrival(id)).cloned();
        oldest.map(|oldest| cache.remove(&oldest));
    }
    cache.insert(id, record.clone());
    Ok(Some(record))
}

/// Ids end in the transaction that queued the request: that is their order.
pub(crate) fn arrival(id: &str) -> u64 {
    id.rsplit('-').next().and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0)
}
