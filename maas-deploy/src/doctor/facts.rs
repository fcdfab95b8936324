//! Everything DOCTOR wants to know of ZooKeeper, read once. Decides nothing.

use crate::context::Cluster;
use crate::error::Error;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use maas_client::model::ModelId;
use maas_client::registry::{self, Endpoint};
use maas_client::state::{self, Claim, Desired, InstanceRecord, Leader, Rejected, Status};
use maas_client::tree::{self, Node, Stat, Tree};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// Reads that are under way at once.
const READS_AT_ONCE: usize = 128;

/// A child of the registry: an endpoint, or something that is none.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    /// Its path.
    pub(crate) path: String,
    /// The name it stands under.
    pub(crate) name: String,
    /// Its own name: the instance.
    pub(crate) id: String,
    /// Bytes and stat.
    pub(crate) node: Node,
    /// What it says, or why it says nothing.
    pub(crate) endpoint: Result<Endpoint, String>,
}

impl Registered {
    /// Whether it goes by itself when its session ends. Those are never touched.
    pub(crate) fn is_ephemeral(&self) -> bool {
        self.node.stat.ephemeral_owner != 0
    }
}

/// One instance record.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// The instance.
    pub(crate) id: String,
    /// The master's intent.
    pub(crate) record: InstanceRecord,
    /// The runner's claim.
    pub(crate) claim: Option<Claim>,
}

/// What ZooKeeper says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Roots of ours that are not there.
    pub(crate) missing_roots: Vec<String>,
    /// Whether a master of ours has ever led.
    pub(crate) has_led: bool,
    /// The leader.
    pub(crate) leader: Option<Leader>,
    /// What the last leader said.
    pub(crate) said: Option<state::Cluster>,
    /// The node that tells all masters to stop, when it is there.
    pub(crate) stop: Option<Stat>,
    /// Children of the queue with their creation times, ms since epoch.
    pub(crate) queue: Vec<(String, i64)>,
    /// Messages that were set aside.
    pub(crate) rejected: Vec<Rejected>,
    /// Versions that are wanted or known.
    pub(crate) versions: BTreeSet<ModelId>,
    /// Instance records.
    pub(crate) instances: Vec<Recorded>,
    /// What the registry holds.
    pub(crate) registered: Vec<Registered>,
    /// Nodes of ours that can't be read, and why.
    pub(crate) unreadable: Vec<(String, String)>,
}

impl Facts {
    /// Reads everything.
    pub(crate) async fn read(cluster: &Cluster) -> Result<Facts, Error> {
        let tree: &dyn Tree = cluster.tree.as_ref();
        let roots = &cluster.roots;
        let mut facts = Facts {
            has_led: tree.get(&roots.epoch()).await?.is_some(),
            stop: tree.get(&roots.stop()).await?.map(|node| node.stat),
            ..Facts::default()
        };
        let mut wanted_roots = vec![roots.queue.clone(), roots.services.clone()];
        if facts.has_led {
            wanted_roots.extend([roots.models(), roots.instances(), roots.requests()]);
        }
        for root in wanted_roots {
            if tree.get(&root).await?.is_none() {
                facts.missing_roots.push(root);
            }
        }
        facts.leader = facts.one(tree, &roots.leader()).await?;
        facts.said = facts.one(tree, &roots.cluster()).await?;

        let queued = children(tree, &roots.queue).await?;
        let queued = nodes(tree, queued.iter().map(|child| roots.queue_child(child))).await?;
        facts.queue = queued.into_iter().map(|(path, node)| (last(&path).to_string(), node.stat.ctime_ms)).collect();

        let rejected = rejections(tree, &roots.rejected()).await?;
        for (path, node) in nodes(tree, rejected.iter().map(|id| roots.rejection(id))).await? {
            facts.rejected.extend(facts_decode(&path, &node, &mut facts.unreadable));
        }
        facts.read_versions(tree, cluster).await?;
        facts.read_instances(tree, cluster).await?;
        facts.read_registry(tree, cluster).await?;
        Ok(facts)
    }

    async fn one<T: DeserializeOwned>(&mut self, tree: &dyn Tree, path: &str) -> Result<Option<T>, Error> {
        let node = tree.get(path).await?;
        Ok(node.and_then(|node| facts_decode(path, &node, &mut self.unreadable)))
    }

    async fn read_versions(&mut self, tree: &dyn Tree, cluster: &Cluster) -> Result<(), Error> {
        let roots = &cluster.roots;
        for name in children(tree, &roots.models()).await? {
            let versions = tree::unless_locked(tree.children(&roots.model(&name)).await)?.unwrap_or_default();
            for version in versions {
                match ModelId::new(&name, &version) {
                    Ok(model) => self.versions.extend([model]),
                    Err(error) => {
                        self.unreadable.push((format!("{}/{version}", roots.model(&name)), error.to_string()));
                    }
                }
            }
        }
        let desired = nodes(tree, self.versions.iter().map(|model| roots.desired(model))).await?;
        for (path, node) in desired {
            let _desired: Option<Desired> = facts_decode(&path, &node, &mut self.unreadable);
        }
        let status = nodes(tree, self.versions.iter().map(|model| roots.status(model))).await?;
        // The leader makes the node empty and fills it with its next word.
        for (path, node) in status.into_iter().filter(|(_, node)| !node.data.is_empty()) {
            let _status: Option<Status> = facts_decode(&path, &node, &mut self.unreadable);
        }
        Ok(())
    }

    async fn read_instances(&mut self, tree: &dyn Tree, cluster: &Cluster) -> Result<(), Error> {
        let roots = &cluster.roots;
        let ids = children(tree, &roots.instances()).await?;
        let mut claims: BTreeMap<String, Claim> = BTreeMap::new();
        for (path, node) in nodes(tree, ids.iter().map(|id| roots.claim(id))).await? {
            if let Some(claim) = facts_decode(&path, &node, &mut self.unreadable) {
                claims.insert(path, claim);
            }
        }
        for (path, node) in nodes(tree, ids.iter().map(|id| roots.instance(id))).await? {
            if let Some(record) = facts_decode(&path, &node, &mut self.unreadable) {
                let id = last(&path).to_string();
                let claim = claims.remove(&roots.claim(&id));
                self.instances.push(Recorded { id, record, claim });
            }
        }
        Ok(())
    }

    async fn read_registry(&mut self, tree: &dyn Tree, cluster: &Cluster) -> Result<(), Error> {
        let roots = &cluster.roots;
        for name in children(tree, &roots.services).await? {
            let ids = children(tree, &roots.service(&name)).await?;
            for (path, node) in nodes(tree, ids.iter().map(|id| roots.registration(&name, id))).await? {
                let id = last(&path).to_string();
                let endpoint = registry::decode(&name, &id, &node).map_err(|error| error.to_string());
                self.registered.push(Registered { path, name: name.clone(), id, node, endpoint });
            }
        }
        Ok(())
    }
}

/// `rejected` may be closed to us: then it is not known, which is no trouble of the system's.
async fn rejections(tree: &dyn Tree, path: &str) -> Result<Vec<String>, Error> {
    match children(tree, path).await {
        Err(Error::Tree(maas_client::tree::Error::NoAuth { .. })) => Ok(Vec::new()),
        other => other,
    }
}

fn facts_decode<T: DeserializeOwned>(path: &str, node: &Node, unreadable: &mut Vec<(String, String)>) -> Option<T> {
    match serde_json::from_slice(&node.data) {
        Ok(value) => Some(value),
        Err(error) => {
            unreadable.push((path.to_string(), error.to_string()));
            None
        }
    }
}

async fn children(tree: &dyn Tree, path: &str) -> Result<Vec<String>, Error> {
    Ok(tree.children(path).await?.unwrap_or_default())
}

/// Many nodes at once, in order; those that are gone are left out.
async fn nodes(tree: &dyn Tree, paths: impl Iterator<Item = String>) -> Result<Vec<(String, Node)>, Error> {
    let paths: Vec<String> = paths.collect();
    let found: Vec<(String, Option<Node>)> = stream::iter(paths)
        .map(|path| async move {
            let node = match tree.get(&path).await {
                Err(maas_client::tree::Error::NoAuth { .. }) => None,
                other => other?,
            };
            Ok::<_, maas_client::tree::Error>((path, node))
        })
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().filter_map(|(path, node)| Some((path, node?))).collect())
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
