//! A configuration in ZooKeeper that changes: the new one is taken over without restart, one that is refused leaves the old one in force.

use std::sync::Arc;

use maas_client::tree::SharedTree;
use serde_json::json;
use stellar_fns::Environment;
use tokio::sync::watch;

use super::metrics::Metrics;
use super::said::Said;
use crate::config::{Files, Sensor};
use crate::pipeline::Pipeline;
use crate::topology::{self, Changes};

/// Follows the configuration for as long as it is let.
pub(super) async fn follow(
    tree: SharedTree,
    mut changes: Changes,
    mut seen: Files,
    pipelines: watch::Sender<Arc<Pipeline>>,
    environment: Arc<Environment>,
    metrics: Arc<Metrics>,
    said: Said,
) {
    let sensor = pipelines.borrow().sensor().name.clone();
    while changes.changed().await {
        let files = match topology::read_files(&tree).await {
            Ok(files) => relevant(files, &sensor),
            Err(error) => {
                // The tree says "read again" when it is back.
                tracing::warn!(error = %maas_cli::Failure::of(maas_cli::ErrorCode::ZookeeperUnreachable, &error), "the configuration stays as it is");
                continue;
            }
        };
        if files == seen {
            continue;
        }
        match Sensor::compile(&sensor, &files) {
            Ok((compiled, _)) => {
                pipelines.send_replace(Arc::new(Pipeline::new(Arc::new(compiled), environment.clone())));
                said.event("reconfigured", json!({"sensor": sensor}), "the changed configuration is in force");
            }
            Err(refused) => {
                metrics.config_refused();
                let reason = refused.reason.to_string();
                let line = format!(
                    "the changed configuration is refused, the old one stays in force: {}: {reason}",
                    refused.file
                );
                said.event("config_refused", json!({"path": topology::node(&refused.file), "reason": reason}), &line);
            }
        }
        seen = files;
    }
}

/// The files that this sensor reads.
pub(super) fn relevant(mut files: Files, sensor: &str) -> Files {
    let own = format!("/{sensor}.json");
    files.0.retain(|name, _| {
        name == "global.json"
            || name.starts_with("patterns/")
            || (name.ends_with(&own) && name.matches('/').count() == 1)
    });
    files
}
