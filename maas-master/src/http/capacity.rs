//! `/api/v1/capacity`, and `/api/v1/plan`: what would follow from a request, thought through and not done.

use super::error::{Answer, Refusal};
use super::render;
use super::state::App;
use crate::clock::wall_time;
use crate::hypothesis;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use maas_cli::ErrorCode;
use maas_client::api::{CapacityView, PlanAnswer, PlanQuestion};
use maas_client::request::Resources;

pub(super) async fn capacity(State(app): State<App>) -> Answer<CapacityView> {
    Ok(Json(render::capacity_of(&*app.leading()?)))
}

pub(super) async fn plan(State(app): State<App>, body: Bytes) -> Answer<PlanAnswer> {
    let question: PlanQuestion = serde_json::from_slice(&body).map_err(|error| {
        Refusal::new(ErrorCode::BadRequest, format!("the body is no plan question: {error}; see /openapi.json"))
    })?;
    let view = app.leading()?;
    let launcher = app.handle().launcher();
    let forecast = |needs: &Resources, count| launcher.forecast(needs, count);
    hypothesis::think_through(&view, &question, app.policy(), wall_time(), &forecast)
        .map(Json)
        .map_err(|refused| Refusal::new(refused.code, refused.text))
}
