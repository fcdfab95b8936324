//! The master's HTTP: read-only, JSON bodies of `maas_client::api`, one place where errors become answers.
//!
//! `render` turns the master's snapshot into bodies and is pure; `state` is what all handlers share; a file per resource.
//! A standby answers the same questions from ZooKeeper, slower, and leaves capacity and plans to the leader.

mod access;
mod capacity;
mod console;
mod error;
mod events;
mod health;
mod instances;
mod logs;
mod metrics;
mod models;
mod node_logs;
mod openapi;
mod reach;
mod render;
mod requests;
mod routes;
mod state;
#[cfg(test)]
mod tests;

pub use render::{capacity_of, models_of, service_of};
pub(crate) use render::{instances_by_state, models_by_state, seconds_since};
pub use routes::router;
pub use state::{App, LogAccess, Setup};
