//! A configuration in ZooKeeper that changes: the new one is taken over without restart, one that is refused leaves the old one in force. One that needs patterns from
//! a store that is away waits for it, until it is taken or there is another one.

use std::sync::Arc;
use std::time::Duration;

use maas_cli::Failure;
use maas_client::reason::chain;
use maas_client::tree::SharedTree;
use serde_json::json;
use tokio::sync::watch;

use super::said::Said;
use super::start::Environments;
use crate::config::{Files, Sensor};
use crate::patterns;
use crate::pipeline::Pipeline;
use crate::topology::{self, Changes};

/// How long to wait before a store that is away is asked again, at first and at most.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Follows the configuration for as long as it is let.
pub(super) async fn follow(
    tree: SharedTree,
    mut changes: Changes,
    mut seen: Files,
    pipelines: watch::Sender<Arc<Pipeline>>,
    environments: Environments,
    said: Said,
) {
    let sensor = pipelines.borrow().sensor().name.clone();
    let refused = |path: &str, reason: &str| {
        environments.metrics.config_refused(format!("{path}: {reason}"));
        let line = format!("the changed configuration is refused, the old one stays in force: {path}: {reason}");
        said.event("config_refused", json!({"path": path, "reason": reason}), &line);
    };
    let mut wait = None;
    while changes_or_waited(&mut changes, wait).await {
        let files = match topology::read_files(&tree).await {
            Ok(files) => relevant(files, &sensor),
            Err(topology::Error::NotText { path }) => {
                refused(&path, "is not UTF-8 text");
                continue;
            }
            Err(error) => {
                // The tree says "read again" when it is back.
                tracing::warn!(error = %maas_cli::Failure::of(maas_cli::ErrorCode::ZookeeperUnreachable, &error), "the configuration stays as it is");
                continue;
            }
        };
        let files = match files {
            Ok(files) => files,
            Err(error) if error.is_retryable() => {
                let reason = chain(&error);
                environments.metrics.config_waits(Some(reason.clone()));
                if wait.is_none() {
                    let line = format!("the changed configuration waits, the old one stays in force: {reason}");
                    said.event("config_waits", json!({"reason": reason}), &line);
                }
                wait = Some(wait.map_or(FIRST_WAIT, |wait: Duration| (wait * 2).min(LONGEST_WAIT)));
                continue;
            }
            Err(error) => {
                environments.metrics.config_waits(None);
                wait = None;
                refused(&topology::node(&format!("parsers/{sensor}.json")), &chain(&error));
                continue;
            }
        };
        environments.metrics.config_waits(None);
        wait = None;
        if files == seen {
            continue;
        }
        let before = pipelines.borrow().clone();
        match changed(&before, &seen, &files, &environments) {
            Ok(pipeline) => {
                if pipeline.sensor().parser.topic != before.sensor().parser.topic {
                    tracing::warn!(sensor, "another sensorTopic is read from the next start on");
                }
                pipelines.send_replace(Arc::new(pipeline));
                said.event("reconfigured", json!({"sensor": sensor}), "the changed configuration is in force");
            }
            Err((path, reason)) => refused(&path, &reason),
        }
        seen = files;
    }
}

/// Waits for a change, or until it is time to look again. False when there will be none any more.
async fn changes_or_waited(changes: &mut Changes, wait: Option<Duration>) -> bool {
    match wait {
        None => changes.changed().await,
        Some(wait) => tokio::time::timeout(wait, changes.changed()).await.unwrap_or(true),
    }
}

/// The pipeline of the changed files; else the node that is refused, and why. What expressions see of the world, and with it the cache of answers, is
/// kept unless it is changed too.
fn changed(
    before: &Pipeline,
    seen: &Files,
    files: &Files,
    environments: &Environments,
) -> Result<Pipeline, (String, String)> {
    const GLOBAL: &str = "global.json";
    let compiled = Sensor::compile(&before.sensor().name, files);
    let (sensor, warnings) = compiled.map_err(|refused| (topology::node(&refused.file), refused.reason.to_string()))?;
    for (file, warning) in warnings {
        tracing::warn!(file, "{warning}");
    }
    if seen.get(GLOBAL) == files.get(GLOBAL) {
        return Ok(before.with(Arc::new(sensor)));
    }
    let told = |failure: Failure| (topology::node(GLOBAL), failure.to_string());
    let environment = Arc::new(environments.make(&sensor).map_err(told)?);
    Ok(Pipeline::new(Arc::new(sensor), environment))
}

/// The files that this sensor reads, with the patterns that it names and that lie elsewhere.
pub(super) fn relevant(mut files: Files, sensor: &str) -> Result<Files, patterns::Error> {
    let own = format!("/{sensor}.json");
    files.0.retain(|name, _| {
        name == "global.json"
            || name.starts_with("patterns/")
            || (name.ends_with(&own) && name.matches('/').count() == 1)
    });
    // Another system may take its time.
    tokio::task::block_in_place(|| patterns::fetch(&mut files, sensor))?;
    Ok(files)
}
