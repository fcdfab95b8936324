//! Which path is answered by what, and what every answer carries.

use super::error::Refusal;
use super::state::App;
use super::{capacity, console, events, health, instances, logs, metrics, models, openapi, reach, requests};
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use maas_cli::ErrorCode;
use serde::de::DeserializeOwned;

/// The largest body of a question.
const MOST_BODY: usize = 64 << 10;

/// The whole interface over this state.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/", get(console::page))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/openapi.json", get(openapi::document))
        .route("/api/v1/status", get(models::service))
        .route("/api/v1/models", get(models::list))
        .route("/api/v1/models/{name}/{version}", get(models::one))
        .route("/api/v1/instances", get(instances::list))
        .route("/api/v1/instances/{id}", get(instances::one))
        .route("/api/v1/instances/{id}/logs", get(logs::logs))
        .route("/api/v1/requests", get(requests::list))
        .route("/api/v1/requests/{id}", get(requests::one))
        .route("/api/v1/events", get(events::list))
        .route("/api/v1/capacity", get(capacity::capacity))
        .route("/api/v1/reach", get(reach::look))
        .route("/api/v1/plan", post(capacity::plan).put(capacity::plan))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(middleware::from_fn_with_state(app.clone(), on_every_answer))
        .with_state(app)
}

async fn not_found(request: Request) -> Refusal {
    let path: String = request.uri().path().chars().take(120).collect();
    Refusal::new(ErrorCode::Usage, format!("nothing is served at {path}; /openapi.json lists all paths"))
        .with_status(StatusCode::NOT_FOUND)
}

async fn method_not_allowed(request: Request) -> Refusal {
    let path: String = request.uri().path().chars().take(120).collect();
    let detail = format!("{} is not answered at {path}; this interface is read-only", request.method());
    Refusal::new(ErrorCode::Usage, detail).with_status(StatusCode::METHOD_NOT_ALLOWED)
}

/// The leader's epoch, that nothing is cached or sniffed, and problem details also for what axum itself refuses.
async fn on_every_answer(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let refusal = Refusal::new(ErrorCode::BadRequest, format!("the body is larger than {MOST_BODY} bytes"))
            .with_status(StatusCode::PAYLOAD_TOO_LARGE);
        response = axum::response::IntoResponse::into_response(refusal);
    }
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("maas-epoch"), HeaderValue::from(app.epoch()));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A query whose faults are problem details too.
#[derive(Debug)]
pub(super) struct Checked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Checked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Checked(value)),
            Err(error) => {
                let text = error.body_text();
                let why = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, why)| why);
                Err(Refusal::new(ErrorCode::Usage, format!("the query can't be used: {why}")))
            }
        }
    }
}

/// Parts of the path whose faults are problem details too.
#[derive(Debug)]
pub(super) struct Segments<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Segments(value)),
            Err(error) => {
                let shown: String = parts.uri.path().chars().take(120).collect();
                Err(Refusal::new(ErrorCode::Usage, format!("{shown} can't be used: {}", error.body_text())))
            }
        }
    }
}
