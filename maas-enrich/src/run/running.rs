//! Pipelines that run, as ZooKeeper shows them: each has an ephemeral node while it lives, and ends when a node asks it to.

use std::collections::BTreeMap;

use maas_cli::{ErrorCode, Failure};
use maas_client::config::Roots;
use maas_client::tree::{self, Access, Mode, SharedTree, TreeExt};
use serde::{Deserialize, Serialize};

use crate::connect::tree_failure;

/// What is told of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its sensor.
    pub sensor: String,
    /// Where it runs.
    pub host: String,
    /// Its process.
    pub pid: u32,
    /// Since when, RFC 3339.
    pub since: String,
    /// Where it reads.
    pub source: String,
    /// Where it writes.
    pub sink: String,
    /// Its pages, if it has any.
    pub http: Option<String>,
}

fn running_root(roots: &Roots) -> String {
    format!("{}/enrich/running", roots.state)
}

fn stop_root(roots: &Roots) -> String {
    format!("{}/enrich/stop", roots.state)
}

impl Running {
    /// The name of its node.
    pub fn id(&self) -> String {
        format!("{}@{}:{}", self.sensor, self.host.replace('/', "_"), self.pid)
    }
}

/// Shows it for as long as the session lives, again after a session was lost, until somebody asks it to stop.
pub async fn show_until_stopped(tree: SharedTree, roots: Roots, running: Running) {
    let node = format!("{}/{}", running_root(&roots), running.id());
    let stop = format!("{}/{}", stop_root(&roots), running.id());
    let mut session = tree.session();
    // An order to a process that is gone is not for this one.
    let _ = tree.delete_if_exists(&stop, None).await;
    loop {
        let shown = show(&tree, &roots, &node, &running).await;
        let asked = tree.get_and_watch(&stop).await;
        match (shown, asked) {
            (Ok(()), Ok((Some(_), _))) => {
                // What is left of the order is cleared away by whoever takes its name next.
                let _ = tree.delete_if_exists(&stop, None).await;
                return;
            }
            (Ok(()), Ok((None, watch))) => {
                tokio::select! {
                    () = watch.changed() => {}
                    changed = session.changed() => if changed.is_err() { return std::future::pending().await },
                }
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::debug!(%error, "this pipeline is not shown in ZooKeeper at present");
                if session.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
        }
    }
}

async fn show(tree: &SharedTree, roots: &Roots, node: &str, running: &Running) -> Result<(), tree::Error> {
    tree.ensure_path(&running_root(roots), Access::WorldReads).await?;
    let data = serde_json::to_vec(running).unwrap_or_default();
    match tree.create(node, data, Mode::Ephemeral, Access::WorldReads).await {
        Ok(_) | Err(tree::Error::NodeExists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// All that run, or those of a sensor, by the name of their node.
pub async fn list(
    tree: &SharedTree,
    roots: &Roots,
    sensor: Option<&str>,
) -> Result<BTreeMap<String, Running>, Failure> {
    let root = running_root(roots);
    let names = tree.children(&root).await.map_err(|error| tree_failure(&error))?.unwrap_or_default();
    let mut found = BTreeMap::new();
    for name in names {
        let read = tree.get_json::<Running>(&format!("{root}/{name}")).await.map_err(|error| tree_failure(&error))?;
        if let Some((Ok(running), _)) = read
            && sensor.is_none_or(|sensor| sensor == running.sensor)
        {
            found.insert(name, running);
        }
    }
    Ok(found)
}

/// Asks them to stop, and waits until they are gone.
pub async fn stop(
    tree: &SharedTree,
    roots: &Roots,
    sensor: Option<&str>,
    patience: std::time::Duration,
) -> Result<Vec<Running>, Failure> {
    let asked = list(tree, roots, sensor).await?;
    if asked.is_empty() {
        let what =
            sensor.map_or_else(|| "no pipeline runs".to_owned(), |sensor| format!("no pipeline of {sensor} runs"));
        return Err(Failure::new(ErrorCode::NoSensor, format!("{what} on this ZooKeeper")));
    }
    let failed = |error: tree::Error| tree_failure(&error);
    tree.ensure_path(&stop_root(roots), Access::WorldReads).await.map_err(failed)?;
    for id in asked.keys() {
        tree.ensure_path(&format!("{}/{id}", stop_root(roots)), Access::WorldReads).await.map_err(failed)?;
    }
    let deadline = tokio::time::Instant::now() + patience;
    for id in asked.keys() {
        loop {
            let node = format!("{}/{id}", running_root(roots));
            let (found, watch) = tree.get_and_watch(&node).await.map_err(failed)?;
            if found.is_none() {
                break;
            }
            if tokio::time::timeout_at(deadline, watch.changed()).await.is_err() {
                let message = format!("{id} has not stopped in {} s; it is told to", patience.as_secs());
                return Err(Failure::new(ErrorCode::TimedOut, message));
            }
        }
        tree.delete_if_exists(&format!("{}/{id}", stop_root(roots)), None).await.map_err(failed)?;
    }
    Ok(asked.into_values().collect())
}
