//! How the service stands by what ZooKeeper says, without asking a master: for `maas_service status` and for standbys.

use crate::http::{count_by, seconds_since};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use maas_client::api::{InstanceView, ModelView, ServiceView};
use maas_client::config::Roots;
use maas_client::event::Event;
use maas_client::model::{ModelId, ModelName, ModelVersion};
use maas_client::reason::{InstanceState, VersionState};
use maas_client::state::{Claim, Desired, InstanceRecord, Journal, Leader, Status, Wanted};
use maas_client::tree::{Error, SharedTree, TreeExt};
use std::collections::BTreeMap;

/// How many nodes are read at once.
const AT_ONCE: usize = 64;

/// What ZooKeeper says.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The service as a whole.
    pub service: ServiceView,
    /// Every version with a desired state.
    pub models: Vec<ModelView>,
    /// What happened, oldest first.
    pub events: Vec<Event>,
}

/// Reads all of it.
pub async fn gather(tree: &SharedTree, roots: &Roots, zookeeper: &str, now: Timestamp) -> Result<Seen, Error> {
    let leader: Option<Leader> = read(tree, &roots.leader()).await?;
    let instances = instances(tree, roots).await?;
    let versions = versions(tree, roots).await?;
    let journal: Journal = read(tree, &roots.journal()).await?.unwrap_or_default();

    let mut by_model: BTreeMap<ModelId, Vec<InstanceView>> = BTreeMap::new();
    for instance in instances {
        let model = ModelId { name: instance.name.clone(), version: instance.version.clone() };
        by_model.entry(model).or_default().push(instance);
    }
    let mut events = journal.events.clone();
    let mut models = Vec::new();
    for (model, desired, status) in versions {
        events.extend(status.iter().flat_map(|status| status.events.clone()));
        models.push(model_of(model.clone(), desired, status, by_model.remove(&model).unwrap_or_default()));
    }
    mark_current(&mut models);
    events.sort_by(|a, b| a.id.cmp(&b.id));

    let (queue_length, queue_oldest_ms) = queue(tree, roots).await?;
    let service = ServiceView {
        leader,
        standbys: standbys(tree, roots).await?,
        zookeeper: zookeeper.to_string(),
        queue_length,
        queue_oldest_s: queue_oldest_ms.map(|ms| seconds_since(ms, now)),
        rejected_24h: rejected_24h(tree, roots, now).await?,
        models: count_by(models.iter().filter(|model| is_there(model)).map(|model| model.state.to_string())),
        instances: count_by(
            models.iter().flat_map(|model| &model.instances).map(|instance| instance.state.to_string()),
        ),
        capacity: None,
        events: journal.events,
    };
    Ok(Seen { service, models, events })
}

/// Whether anything of it is wanted or left. What is known of a version that was removed is kept for a later ADD.
fn is_there(model: &ModelView) -> bool {
    model.desired > 0 || !model.instances.is_empty()
}

/// Masters that stand by, as `host:pid`.
pub async fn standbys(tree: &SharedTree, roots: &Roots) -> Result<Vec<String>, Error> {
    Ok(tree.children(&roots.standbys()).await?.unwrap_or_default())
}

/// Messages set aside in the last 24 hours. Their nodes are private: only stats are looked at, and where even those
/// are not to be had, the children are counted.
pub async fn rejected_24h(tree: &SharedTree, roots: &Roots, now: Timestamp) -> Result<u64, Error> {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let children = match tree.children(&roots.rejected()).await {
        Ok(children) => children.unwrap_or_default(),
        Err(Error::NoAuth { .. }) => return Ok(0),
        Err(error) => return Err(error),
    };
    let total = children.len() as u64;
    let horizon = now.as_millisecond() - DAY_MS;
    let recent = stream::iter(children)
        .map(|child| async move {
            match tree.get(&roots.rejection(&child)).await {
                Ok(node) => Ok(node.is_some_and(|node| node.stat.ctime_ms >= horizon)),
                Err(error) => Err(error),
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_fold(0, |count, recent| async move { Ok(count + u64::from(recent)) })
        .await;
    match recent {
        Err(Error::NoAuth { .. }) => Ok(total),
        counted => counted,
    }
}

async fn queue(tree: &SharedTree, roots: &Roots) -> Result<(u64, Option<i64>), Error> {
    let children = tree.children(&roots.queue).await?.unwrap_or_default();
    let waiting: Vec<&String> = children.iter().filter(|child| child.starts_with("qn-")).collect();
    let oldest = match waiting.first() {
        None => None,
        Some(child) => tree.get(&roots.queue_child(child)).await?.map(|node| node.stat.ctime_ms),
    };
    Ok((waiting.len() as u64, oldest))
}

async fn versions(tree: &SharedTree, roots: &Roots) -> Result<Vec<(ModelId, Desired, Option<Status>)>, Error> {
    let mut models = Vec::new();
    for name in tree.children(&roots.models()).await?.unwrap_or_default() {
        let Ok(checked) = name.parse::<ModelName>() else { continue };
        for version in tree.children(&roots.model(&name)).await?.unwrap_or_default() {
            let Ok(version) = version.parse::<ModelVersion>() else { continue };
            models.push(ModelId { name: checked.clone(), version });
        }
    }
    models.sort();
    let read_all = stream::iter(models).map(|model| async move {
        let desired: Option<Desired> = read(tree, &roots.desired(&model)).await?;
        let status: Option<Status> = read(tree, &roots.status(&model)).await?;
        Ok::<_, Error>(desired.map(|desired| (model, desired, status)))
    });
    read_all.buffered(AT_ONCE).try_filter_map(|found| async move { Ok(found) }).try_collect().await
}

async fn instances(tree: &SharedTree, roots: &Roots) -> Result<Vec<InstanceView>, Error> {
    let ids = tree.children(&roots.instances()).await?.unwrap_or_default();
    let read_all = stream::iter(ids).map(|id| async move {
        let record: Option<InstanceRecord> = read(tree, &roots.instance(&id)).await?;
        let claim: Option<Claim> = read(tree, &roots.claim(&id)).await?;
        Ok::<_, Error>(record.map(|record| instance_of(id, record, claim)))
    });
    read_all.buffered(AT_ONCE).try_filter_map(|found| async move { Ok(found) }).try_collect().await
}

/// A node's JSON; one that is absent, empty or not ours to read is none.
async fn read<T: serde::de::DeserializeOwned + Send>(tree: &SharedTree, path: &str) -> Result<Option<T>, Error> {
    Ok(tree.get_json(path).await?.and_then(|(parsed, _)| parsed.ok()))
}

fn instance_of(id: String, record: InstanceRecord, claim: Option<Claim>) -> InstanceView {
    let state = match (&claim, record.wanted) {
        (Some(claim), Wanted::Stop) if !claim.state.is_ended() => InstanceState::Draining,
        (Some(claim), _) => claim.state,
        (None, _) => record.unclaimed_state(),
    };
    let claim = claim.as_ref();
    InstanceView {
        id,
        state,
        url: claim.and_then(|claim| claim.url.clone()),
        host: claim.map_or_else(|| record.host.clone(), |claim| claim.host.clone()),
        pid: claim.map(|claim| claim.pid),
        container: record.container,
        started: claim.and_then(|claim| claim.started).or(Some(record.created)),
        restarts: 0,
        memory_mb: record.resources.memory_mb,
        memory_used_mb: claim.and_then(|claim| claim.memory_used_mb),
        reason: record.reason.or_else(|| claim.and_then(|claim| claim.reason.clone())),
        exit_code: None,
        name: record.model.name,
        version: record.model.version,
    }
}

fn model_of(model: ModelId, desired: Desired, status: Option<Status>, instances: Vec<InstanceView>) -> ModelView {
    let ready = instances.iter().filter(|instance| instance.state == InstanceState::Ready).count();
    let ready = u32::try_from(ready).unwrap_or(u32::MAX);
    // The leader's word holds only as long as what it spoke of: without a leader nobody corrects it.
    let state = match (&status, desired.count, ready) {
        (_, 0, _) => VersionState::Stopping,
        (_, count, ready) if ready >= count => VersionState::Ready,
        (_, _, 1..) => VersionState::Degraded,
        (Some(status), _, _) if status.state == VersionState::Failed => VersionState::Failed,
        _ => VersionState::Starting,
    };
    let status = status.as_ref();
    ModelView {
        name: model.name,
        version: model.version,
        current: false,
        managed: true,
        desired: desired.count,
        ready,
        state,
        reason: status.filter(|status| status.state == state).and_then(|status| status.reason.clone()),
        restarts: status.map_or(0, |status| status.restarts),
        memory_mb: desired.resources.memory_mb,
        vcores: desired.resources.vcores,
        gpus: desired.resources.gpus,
        path: desired.path,
        digest: desired.digest,
        published: Some(desired.published),
        by: desired.by,
        instances,
    }
}

/// The highest version of a name with something ready is the one callers get.
fn mark_current(models: &mut [ModelView]) {
    let mut current: BTreeMap<ModelName, usize> = BTreeMap::new();
    for (index, model) in models.iter().enumerate().filter(|(_, model)| model.ready > 0) {
        current.insert(model.name.clone(), index);
    }
    for index in current.into_values() {
        models[index].current = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use maas_client::tree::memory::MemoryServer;
    use maas_client::tree::{Access, Op};

    #[tokio::test]
    async fn a_version_of_which_nothing_is_wanted_or_left_is_not_counted() {
        let tree: SharedTree = MemoryServer::new().session();
        let roots = Roots::default();
        for (version, count) in [("1.0", 1), ("2.0", 0)] {
            let model = fixture::model("dga", version);
            let path = roots.desired(&model);
            let desired = serde_json::to_vec(&fixture::version(count, Vec::new()).desired).unwrap();
            tree.ensure_path(path.rsplit_once('/').unwrap().0, Access::WorldReads).await.unwrap();
            tree.multi(vec![Op::create(path, desired)]).await.unwrap();
        }
        let seen = gather(&tree, &roots, "here:2181", fixture::time()).await.unwrap();
        assert_eq!(seen.service.models, [("Starting".to_string(), 1)].into());
        assert_eq!(seen.models.len(), 2);
    }
}
