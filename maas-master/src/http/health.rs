//! `/healthz`: the process answers. `/readyz`: it leads and sees ZooKeeper.

use super::error::Refusal;
use super::state::App;
use crate::view::Role;
use axum::Json;
use axum::extract::State;
use maas_cli::ErrorCode;
use serde_json::{Value, json};

pub(super) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

pub(super) async fn readyz(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    let view = app.view();
    let since = view.since;
    if !view.connected {
        return Err(Refusal::new(ErrorCode::ZookeeperUnreachable, format!("not connected to ZooKeeper since {since}")));
    }
    match &view.role {
        Role::Leading(leader) => Ok(Json(json!({ "status": "ready", "epoch": leader.epoch, "since": leader.since }))),
        Role::Standby { leader: Some(leader) } => Err(Refusal::new(
            ErrorCode::AnotherLeads,
            format!("standing by since {since}; {} with pid {} leads", leader.host, leader.pid),
        )),
        Role::Standby { leader: None } => {
            Err(Refusal::new(ErrorCode::NoMaster, format!("standing by since {since}; none leads yet")))
        }
        Role::Connecting => {
            Err(Refusal::new(ErrorCode::ZookeeperUnreachable, format!("looking for ZooKeeper since {since}")))
        }
    }
}
