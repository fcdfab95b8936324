//! How the service stands by what ZooKeeper says, without asking a master: for `maas_service status` and for standbys.

use crate::http::{instances_by_state, models_by_state, seconds_since};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use maas_client::api::{ModelView, ServiceView};
use maas_client::config::Roots;
use maas_client::event::Event;
use maas_client::picture::Picture;
use maas_client::state::{Journal, Leader};
use maas_client::tree::{Error, SharedTree, TreeExt};

/// How many nodes are read at once.
const AT_ONCE: usize = 64;

/// What ZooKeeper says.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The service as a whole.
    pub service: ServiceView,
    /// Every version: those with a desired state, those that still run, and those others registered.
    pub models: Vec<ModelView>,
    /// What happened, oldest first.
    pub events: Vec<Event>,
}

/// Reads all of it.
pub async fn gather(tree: &SharedTree, roots: &Roots, zookeeper: &str, now: Timestamp) -> Result<Seen, Error> {
    let leader: Option<Leader> = read(tree, &roots.leader()).await?;
    let picture = Picture::read(tree, roots, None).await?;
    let journal: Journal = read(tree, &roots.journal()).await?.unwrap_or_default();
    let models = models_of(&picture);
    let said = picture.versions.values().filter_map(|version| version.status.as_ref());
    let mut events: Vec<Event> = said.flat_map(|status| status.events.clone()).collect();
    events.extend(journal.events.clone());
    events.sort_by(|a, b| a.id.cmp(&b.id));

    let (queue_length, queue_oldest_ms) = queue(tree, roots).await?;
    let service = ServiceView {
        leader,
        standbys: standbys(tree, roots).await?,
        zookeeper: zookeeper.to_string(),
        queue_length,
        queue_oldest_s: queue_oldest_ms.map(|ms| seconds_since(ms, now)),
        rejected_24h: rejected_24h(tree, roots, now).await?,
        models: models_by_state(&models),
        instances: instances_by_state(&models),
        capacity: None,
        events: journal.events,
    };
    Ok(Seen { service, models, events })
}

fn models_of(picture: &Picture) -> Vec<ModelView> {
    let versions = picture.versions.values();
    versions
        .map(|version| {
            let mut view = version.to_view(picture.is_current(&version.model));
            view.instances.extend(version.ended());
            view
        })
        .collect()
}

/// Masters that stand by, as `host:pid`.
pub async fn standbys(tree: &SharedTree, roots: &Roots) -> Result<Vec<String>, Error> {
    Ok(tree.children(&roots.standbys()).await?.unwrap_or_default())
}

/// Messages set aside in the last 24 hours; `None` where even their names are closed to us. Only stats are asked for:
/// the nodes themselves are private.
pub async fn rejected_24h(tree: &SharedTree, roots: &Roots, now: Timestamp) -> Result<Option<u64>, Error> {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let children = match tree.children(&roots.rejected()).await {
        Ok(children) => children.unwrap_or_default(),
        Err(Error::NoAuth { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let horizon = now.as_millisecond() - DAY_MS;
    let stats = stream::iter(children)
        .map(|child| async move { tree.stat(&roots.rejection(&child)).await })
        .buffer_unordered(AT_ONCE);
    let recent = stats.try_fold(0, |count, stat| async move {
        Ok(count + u64::from(stat.is_some_and(|stat| stat.ctime_ms >= horizon)))
    });
    match recent.await {
        // Some servers tell nothing at all of a closed node.
        Err(Error::NoAuth { .. }) => Ok(None),
        counted => counted.map(Some),
    }
}

async fn queue(tree: &SharedTree, roots: &Roots) -> Result<(u64, Option<i64>), Error> {
    let children = tree.children(&roots.queue).await?.unwrap_or_default();
    let waiting: Vec<&String> = children.iter().filter(|child| child.starts_with(maas_client::queue::PREFIX)).collect();
    let oldest = match waiting.first() {
        None => None,
        Some(child) => match tree.stat(&roots.queue_child(child)).await {
            Err(Error::NoAuth { .. }) => None,
            stat => stat?.map(|stat| stat.ctime_ms),
        },
    };
    Ok((waiting.len() as u64, oldest))
}

/// A node's JSON; one that is absent, empty or not ours to read is none.
async fn read<T: serde::de::DeserializeOwned + Send>(tree: &SharedTree, path: &str) -> Result<Option<T>, Error> {
    Ok(tree.get_json(path).await?.and_then(|(parsed, _)| parsed.ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::http::models_of as models_of_view;
    use crate::observed::Observed;
    use crate::status_writer::status_of;
    use crate::view::View;
    use maas_client::reason::{InstanceState, VersionState};
    use maas_client::registry::Registration;
    use maas_client::state::Wanted;
    use maas_client::tree::memory::MemoryServer;
    use maas_client::tree::{Access, Op};
    use std::sync::Arc;

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

    fn json(value: &impl serde::Serialize) -> Vec<u8> {
        serde_json::to_vec(value).unwrap()
    }

    /// What the leader of this snapshot would have written, and runners and others beside it.
    async fn written(view: &View) -> (SharedTree, Roots) {
        let (tree, roots): (SharedTree, _) = (MemoryServer::new().session(), Roots::default());
        let mut nodes = Vec::new();
        for (model, version) in &view.desired.versions {
            nodes.push((roots.desired(model), json(&version.desired)));
            let status = status_of(version, &view.plan.verdicts[model], 0, Vec::new());
            nodes.push((roots.status(model), json(&status)));
        }
        for (id, instance) in &view.observed.instances {
            nodes.push((roots.instance(id), json(&instance.record)));
            nodes.extend(instance.claim.as_ref().map(|claim| (roots.claim(id), json(claim))));
        }
        for ((name, id), endpoint) in &view.observed.endpoints {
            let registration = Registration {
                model: endpoint.model(),
                id: id.clone(),
                url: endpoint.url.to_string(),
                functions: endpoint.functions.as_ref().clone(),
                registered_ms: endpoint.registered_ms,
            };
            nodes.push((roots.registration(name.as_str(), id), registration.encode()));
        }
        for (path, data) in nodes {
            tree.ensure_path(path.rsplit_once('/').unwrap().0, Access::WorldReads).await.unwrap();
            tree.multi(vec![Op::create(path, data)]).await.unwrap();
        }
        (tree, roots)
    }

    #[tokio::test]
    async fn a_standby_says_of_every_model_what_the_leader_says() {
        let mut view = fixture::leading();
        let (tree, roots) = written(&view).await;
        let seen = gather(&tree, &roots, "here:2181", fixture::time()).await.unwrap();
        assert_eq!(seen.models, models_of_view(&view));
        assert_eq!(seen.models.iter().map(|model| model.current).collect::<Vec<_>>(), [true, true, false]);

        // One whose registration is gone, and one that is told to stop while it is still registered.
        let mut instances = view.observed.instances.clone();
        let ready = instances.get_mut("3-2-aaaa").map(Arc::make_mut).unwrap();
        ready.record.wanted = Wanted::Stop;
        let starting = instances.get_mut("3-3-bbbb").map(Arc::make_mut).unwrap();
        starting.claim.as_mut().unwrap().state = InstanceState::Ready;
        view.observed = Arc::new(Observed { instances, ..(*view.observed).clone() });
        let verdicts = &mut Arc::make_mut(&mut view.plan).verdicts;
        verdicts.get_mut(&fixture::model("dga", "1.0")).unwrap().state = VersionState::Starting;
        let (tree, roots) = written(&view).await;
        let seen = gather(&tree, &roots, "here:2181", fixture::time()).await.unwrap();
        assert_eq!(seen.models, models_of_view(&view));
        assert_eq!((seen.models[0].ready, seen.models[0].current), (0, true));
        assert_eq!(seen.service.instances, [("Draining", 1), ("Ready", 1), ("Unready", 1)].map(owned).into());
    }

    fn owned((state, count): (&str, u64)) -> (String, u64) {
        (state.to_string(), count)
    }

    #[tokio::test]
    async fn messages_set_aside_are_counted_by_when_their_nodes_were_made() {
        let tree: SharedTree = MemoryServer::new().session();
        let roots = Roots::default();
        tree.ensure_path(&roots.rejection("a"), Access::WorldReads).await.unwrap();
        let made = tree.stat(&roots.rejection("a")).await.unwrap().unwrap().ctime_ms;
        let at = |hours: i64| Timestamp::from_millisecond(made + hours * 3_600_000).unwrap();
        assert_eq!(rejected_24h(&tree, &roots, at(1)).await.unwrap(), Some(1));
        assert_eq!(rejected_24h(&tree, &roots, at(25)).await.unwrap(), Some(0));
    }
}
