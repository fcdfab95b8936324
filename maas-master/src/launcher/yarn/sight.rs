//! Nodes that are gone before YARN says so: a runner whose session in ZooKeeper has ended, on a node whose NodeManager
//! does not answer either. Both together are taken for the loss of the node, which YARN notices only after its liveness
//! interval and up to a third more.
//!
//! A NodeManager that is away alone changes nothing, and neither does a ZooKeeper that is. Where every node that is used seems to be gone at once, it is more
//! likely the way to them that is: then YARN's word is waited for. What is lost is decided a look later, so that a runner that came back is not. Should the node come back, its
//! containers have been released, and its runners find no record any more: either ends them.

use super::heart::Shared;
use crate::clock::wall_time;
use hadoop_yarn::types::{ContainerId, NodeId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A node that works answers a question within this.
const ANSWERS_IN: Duration = Duration::from_secs(3);
/// A node that was asked is left alone for this long.
const ASKED_EVERY: Duration = Duration::from_secs(5);

/// Which nodes were asked, when, and which of them did not answer.
#[derive(Debug, Default)]
pub(super) struct Sight {
    asked: Mutex<BTreeMap<NodeId, Instant>>,
    silent: Mutex<BTreeSet<NodeId>>,
}

impl Sight {
    /// Asks the nodes of these containers, whose runners are out of sight, and takes those for lost whose nodes did not answer since the last look. Returns at once.
    pub(super) fn look(self: &Arc<Self>, shared: &Arc<Shared>, containers: Vec<(ContainerId, NodeId)>) {
        let silent = std::mem::take(&mut *self.silent.lock().unwrap_or_else(PoisonError::into_inner));
        let (lost, containers): (Vec<_>, Vec<_>) = containers.into_iter().partition(|(_, node)| silent.contains(node));
        if !lost.is_empty() {
            tracing::warn!(nodes = ?silent, containers = lost.len(), "runners and their NodeManagers are out of sight; taken for lost");
            let lost: Vec<ContainerId> = lost.into_iter().map(|(container, _)| container).collect();
            shared.book().lost_sight(&lost, wall_time());
            shared.tell();
            shared.say_changed();
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, at| at.elapsed() < ASKED_EVERY);
        let mut nodes: BTreeMap<NodeId, Vec<ContainerId>> = BTreeMap::new();
        for (container, node) in containers {
            if !asked.contains_key(&node) {
                nodes.entry(node).or_default().push(container);
            }
        }
        for (node, containers) in nodes {
            asked.insert(node.clone(), Instant::now());
            tokio::spawn(self.clone().ask(shared.clone(), node, containers));
        }
    }

    async fn ask(self: Arc<Self>, shared: Arc<Shared>, node: NodeId, containers: Vec<ContainerId>) {
        let Some(client) = shared.nodes().get(&node) else { return };
        // Any answer is a sign of life; a call that fails is made again by the client for as long as it is let.
        match timeout(ANSWERS_IN, client.statuses(&containers)).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) if error.kind().is_some() => return,
            Ok(Err(_)) | Err(_) => {}
        }
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).insert(node);
        shared.say_changed();
    }
}
