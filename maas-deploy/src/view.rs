//! What ZooKeeper says of all models, put together: wanted numbers, instances, claims, registrations.
//!
//! [`Picture::read`] does the reading, [`Picture::assemble`] and all questions to a picture are pure. LIST, STATUS and
//! waiting stand on it; no master is needed. A node that can't be read is noted and hides no other.

use crate::error::Error;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use maas_client::api::{InstanceView, ModelView};
use maas_client::config::Roots;
use maas_client::model::{ModelId, ModelName, ModelVersion};
use maas_client::reason::{InstanceState, Reason, VersionState};
use maas_client::registry::{self, Endpoint};
use maas_client::state::{Claim, Desired, InstanceRecord, Status, Wanted};
use maas_client::tree::{Node, SharedTree, Tree};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// Reads that are under way at once.
const READS_AT_ONCE: usize = 128;

/// One instance as ZooKeeper has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InstancePicture {
    /// The instance.
    pub(crate) id: String,
    /// The master's intent.
    pub(crate) record: InstanceRecord,
    /// The runner's claim, while its session lives.
    pub(crate) claim: Option<Claim>,
}

impl InstancePicture {
    /// Where it stands. Without a claim only the intent is known.
    pub(crate) fn state(&self) -> InstanceState {
        self.claim.as_ref().map_or_else(|| self.record.unclaimed_state(), |claim| claim.state)
    }

    /// Why it is there.
    pub(crate) fn reason(&self) -> Option<&Reason> {
        self.claim.as_ref().and_then(|claim| claim.reason.as_ref()).or(self.record.reason.as_ref())
    }

    /// The host it runs on, or is meant for.
    pub(crate) fn host(&self) -> &str {
        self.claim.as_ref().map_or(&self.record.host, |claim| &claim.host)
    }

    fn to_view(&self) -> InstanceView {
        InstanceView {
            id: self.id.clone(),
            name: self.record.model.name.clone(),
            version: self.record.model.version.clone(),
            state: self.state(),
            url: self.claim.as_ref().and_then(|claim| claim.url.clone()),
            host: self.host().to_string(),
            pid: self.claim.as_ref().map(|claim| claim.pid),
            container: self.record.container.clone(),
            started: self.claim.as_ref().and_then(|claim| claim.started),
            restarts: 0,
            memory_mb: self.record.resources.memory_mb,
            memory_used_mb: self.claim.as_ref().and_then(|claim| claim.memory_used_mb),
            reason: self.reason().cloned(),
            exit_code: None,
        }
    }
}

/// One version as ZooKeeper has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VersionPicture {
    /// Which.
    pub(crate) model: ModelId,
    /// What is wanted; `None` when it was registered by others.
    pub(crate) desired: Option<Desired>,
    /// What the leader says of it.
    pub(crate) status: Option<Status>,
    /// Its instances, oldest first.
    pub(crate) instances: Vec<InstancePicture>,
    /// What callers see of it.
    pub(crate) endpoints: Vec<Endpoint>,
}

impl VersionPicture {
    fn new(model: ModelId) -> Self {
        VersionPicture { model, desired: None, status: None, instances: Vec::new(), endpoints: Vec::new() }
    }

    /// Claims and registrations are read one after the other. Who is registered has been through its start, whatever its
    /// claim said a moment before.
    fn see_registered(&mut self) {
        for instance in &mut self.instances {
            let Some(claim) = &mut instance.claim else { continue };
            let starts = matches!(claim.state, InstanceState::Localizing | InstanceState::Starting);
            let registered = self.endpoints.iter().find(|endpoint| *endpoint.id == *instance.id);
            if let Some(endpoint) = registered.filter(|_| starts) {
                claim.state = InstanceState::Ready;
                claim.url = Some(endpoint.url.to_string());
            }
        }
    }

    /// How many are wanted.
    pub(crate) fn wanted(&self) -> u32 {
        self.desired.as_ref().map_or(0, |desired| desired.count)
    }

    /// How many callers can reach.
    pub(crate) fn ready(&self) -> u32 {
        u32::try_from(self.endpoints.len()).unwrap_or(u32::MAX)
    }

    /// How many of ours callers can reach and nobody is stopping.
    pub(crate) fn ready_to_stay(&self) -> u32 {
        let staying: BTreeSet<&str> = self
            .instances
            .iter()
            .filter(|instance| instance.record.wanted == Wanted::Run)
            .map(|instance| instance.id.as_str())
            .collect();
        let count = self.endpoints.iter().filter(|endpoint| staying.contains(&*endpoint.id)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The leader's word, when it is about what is wanted now.
    pub(crate) fn fresh_status(&self) -> Option<&Status> {
        let (desired, status) = (self.desired.as_ref()?, self.status.as_ref()?);
        (status.generation >= desired.generation && status.desired == desired.count).then_some(status)
    }

    /// Its state: by what is registered now, and by the leader's word where that knows more.
    pub(crate) fn state(&self) -> VersionState {
        let (wanted, ready) = (self.wanted(), self.ready());
        if self.desired.is_some() && wanted == 0 {
            return VersionState::Stopping;
        }
        if ready > 0 {
            return if ready >= wanted { VersionState::Ready } else { VersionState::Degraded };
        }
        match self.status.as_ref().map(|status| status.state) {
            Some(VersionState::Failed) => VersionState::Failed,
            _ => VersionState::Starting,
        }
    }

    /// Why, as far as the leader's word is about this state.
    pub(crate) fn reason(&self) -> Option<&Reason> {
        let state = self.state();
        self.status.as_ref().filter(|status| status.state == state).and_then(|status| status.reason.as_ref())
    }

    /// As `GET /models` shows it.
    pub(crate) fn to_view(&self, current: bool) -> ModelView {
        let desired = self.desired.as_ref();
        ModelView {
            name: self.model.name.clone(),
            version: self.model.version.clone(),
            current,
            managed: desired.is_some(),
            desired: self.wanted(),
            ready: self.ready(),
            state: self.state(),
            reason: self.reason().cloned(),
            restarts: self.status.as_ref().map_or(0, |status| status.restarts),
            memory_mb: desired.map_or(0, |desired| desired.resources.memory_mb),
            vcores: desired.map_or(0, |desired| desired.resources.vcores),
            gpus: desired.map_or(0, |desired| desired.resources.gpus),
            path: desired.map(|desired| desired.path.clone()).unwrap_or_default(),
            digest: desired.and_then(|desired| desired.digest.clone()),
            published: desired.map(|desired| desired.published),
            by: desired.and_then(|desired| desired.by.clone()),
            instances: self.instances.iter().map(InstancePicture::to_view).collect(),
        }
    }
}

/// All versions, sorted by name and natural order of versions.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Picture {
    /// The versions.
    pub(crate) versions: BTreeMap<ModelId, VersionPicture>,
    /// Nodes that hold something else than they should, with what is wrong.
    pub(crate) unreadable: Vec<String>,
}

/// The nodes a picture is made of, as they were read.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Wanted state by version.
    pub(crate) desired: Vec<(ModelId, Desired)>,
    /// The leader's word by version.
    pub(crate) status: Vec<(ModelId, Status)>,
    /// Intents and claims.
    pub(crate) instances: Vec<InstancePicture>,
    /// Registrations.
    pub(crate) endpoints: Vec<Endpoint>,
    /// What could not be read.
    pub(crate) unreadable: Vec<String>,
}

impl Picture {
    /// Puts the parts together.
    pub(crate) fn assemble(parts: Parts) -> Picture {
        let mut versions: BTreeMap<ModelId, VersionPicture> = BTreeMap::new();
        for (model, desired) in parts.desired {
            slot(&mut versions, model).desired = Some(desired);
        }
        for (model, status) in parts.status {
            slot(&mut versions, model).status = Some(status);
        }
        for instance in parts.instances {
            slot(&mut versions, instance.record.model.clone()).instances.push(instance);
        }
        for endpoint in parts.endpoints {
            slot(&mut versions, endpoint.model()).endpoints.push(endpoint);
        }
        for version in versions.values_mut() {
            version.see_registered();
            version.instances.sort_by(|a, b| (a.record.created, &a.id).cmp(&(b.record.created, &b.id)));
            version.endpoints.sort_by(|a, b| a.id.cmp(&b.id));
        }
        Picture { versions, unreadable: parts.unreadable }
    }

    /// The version callers of `name` get by default: the highest with an endpoint.
    pub(crate) fn current(&self, name: &ModelName) -> Option<&VersionPicture> {
        self.of(name).filter(|version| !version.endpoints.is_empty()).last()
    }

    /// Whether this is the version callers get by default.
    pub(crate) fn is_current(&self, model: &ModelId) -> bool {
        self.current(&model.name).is_some_and(|current| current.model == *model)
    }

    /// The versions of one model, lowest first.
    pub(crate) fn of<'a>(&'a self, name: &ModelName) -> impl Iterator<Item = &'a VersionPicture> + use<'a> {
        let name = name.clone();
        self.versions.values().filter(move |version| version.model.name == name)
    }

    /// One version.
    pub(crate) fn version(&self, model: &ModelId) -> Option<&VersionPicture> {
        self.versions.get(model)
    }

    /// Checks that what a person named is there; says what is there instead.
    pub(crate) fn require(&self, name: &ModelName, version: Option<&ModelVersion>) -> Result<(), Error> {
        let known: Vec<&ModelVersion> = self.of(name).map(|version| &version.model.version).collect();
        if known.is_empty() {
            let names: BTreeSet<&str> = self.versions.keys().map(|model| model.name.as_str()).collect();
            return Err(Error::no_model(name, &names));
        }
        match version {
            Some(version) if !known.contains(&version) => Err(Error::no_version(name, version, &known)),
            _ => Ok(()),
        }
    }

    /// Reads everything, or all of one model.
    pub(crate) async fn read(tree: &SharedTree, roots: &Roots, name: Option<&ModelName>) -> Result<Picture, Error> {
        let tree: &dyn Tree = tree.as_ref();
        let mut parts = Parts::default();
        read_models(tree, roots, name, &mut parts).await?;
        read_instances(tree, roots, name, &mut parts).await?;
        read_endpoints(tree, roots, name, &mut parts).await?;
        Ok(Picture::assemble(parts))
    }
}

fn slot(versions: &mut BTreeMap<ModelId, VersionPicture>, model: ModelId) -> &mut VersionPicture {
    versions.entry(model.clone()).or_insert_with(|| VersionPicture::new(model))
}

/// Reads many nodes at once; those that are gone are left out.
pub(crate) async fn read_nodes(tree: &dyn Tree, paths: Vec<String>) -> Result<Vec<(String, Node)>, Error> {
    let found: Vec<(String, Option<Node>)> = stream::iter(paths)
        .map(|path| async move {
            let node = tree.get(&path).await?;
            Ok::<_, maas_client::tree::Error>((path, node))
        })
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().filter_map(|(path, node)| Some((path, node?))).collect())
}

async fn names(tree: &dyn Tree, path: &str) -> Result<Vec<String>, Error> {
    Ok(tree.children(path).await?.unwrap_or_default())
}

/// The node as JSON; one that is something else is noted.
pub(crate) fn decode<T: DeserializeOwned>(path: &str, node: &Node, unreadable: &mut Vec<String>) -> Option<T> {
    match serde_json::from_slice(&node.data) {
        Ok(value) => Some(value),
        Err(error) => {
            unreadable.push(format!("{path}: {error}"));
            None
        }
    }
}

async fn read_models(tree: &dyn Tree, roots: &Roots, name: Option<&ModelName>, parts: &mut Parts) -> Result<(), Error> {
    let models = match name {
        Some(name) => vec![name.to_string()],
        None => names(tree, &roots.models()).await?,
    };
    let versions: Vec<Vec<ModelId>> = stream::iter(models)
        .map(|model| async move {
            let versions = names(tree, &roots.model(&model)).await?;
            Ok::<_, Error>(versions.iter().filter_map(|version| ModelId::new(&model, version).ok()).collect())
        })
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await?;
    let models: Vec<ModelId> = versions.into_iter().flatten().collect();
    let desired = models.iter().map(|model| roots.desired(model)).collect();
    let status = models.iter().map(|model| roots.status(model)).collect();
    let by_path: BTreeMap<String, &ModelId> =
        models.iter().flat_map(|model| [(roots.desired(model), model), (roots.status(model), model)]).collect();
    for (path, node) in read_nodes(tree, desired).await? {
        if let Some(value) = decode(&path, &node, &mut parts.unreadable) {
            parts.desired.push((by_path[&path].clone(), value));
        }
    }
    for (path, node) in read_nodes(tree, status).await? {
        // The leader makes the node empty and fills it with its next word.
        if node.data.is_empty() {
            continue;
        }
        if let Some(value) = decode(&path, &node, &mut parts.unreadable) {
            parts.status.push((by_path[&path].clone(), value));
        }
    }
    Ok(())
}

async fn read_instances(
    tree: &dyn Tree,
    roots: &Roots,
    name: Option<&ModelName>,
    parts: &mut Parts,
) -> Result<(), Error> {
    let ids = names(tree, &roots.instances()).await?;
    let mut records: Vec<(String, InstanceRecord)> = Vec::new();
    for (path, node) in read_nodes(tree, ids.iter().map(|id| roots.instance(id)).collect()).await? {
        let id = path.rsplit('/').next().unwrap_or_default().to_string();
        match decode::<InstanceRecord>(&path, &node, &mut parts.unreadable) {
            Some(record) if name.is_none_or(|name| record.model.name == *name) => records.push((id, record)),
            _ => {}
        }
    }
    let mut claims: BTreeMap<String, Claim> = BTreeMap::new();
    for (path, node) in read_nodes(tree, records.iter().map(|(id, _)| roots.claim(id)).collect()).await? {
        if let Some(claim) = decode(&path, &node, &mut parts.unreadable) {
            claims.insert(path, claim);
        }
    }
    for (id, record) in records {
        let claim = claims.remove(&roots.claim(&id));
        parts.instances.push(InstancePicture { id, record, claim });
    }
    Ok(())
}

async fn read_endpoints(
    tree: &dyn Tree,
    roots: &Roots,
    name: Option<&ModelName>,
    parts: &mut Parts,
) -> Result<(), Error> {
    let models = match name {
        Some(name) => vec![name.to_string()],
        None => names(tree, &roots.services).await?,
    };
    let paths: Vec<Vec<String>> = stream::iter(models)
        .map(|model| async move {
            let ids = names(tree, &roots.service(&model)).await?;
            Ok::<_, Error>(ids.iter().map(|id| roots.registration(&model, id)).collect())
        })
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await?;
    for (path, node) in read_nodes(tree, paths.into_iter().flatten().collect()).await? {
        let mut ends = path.rsplit('/');
        let (id, model) = (ends.next().unwrap_or_default(), ends.next().unwrap_or_default());
        match registry::decode(model, id, &node) {
            Ok(endpoint) => parts.endpoints.push(endpoint),
            Err(error) => parts.unreadable.push(format!("{path}: {error}")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use maas_client::state::Claim;

    fn claimed(state: InstanceState) -> InstancePicture {
        let claim =
            Claim { state, reason: None, pid: 7, host: "node7".into(), url: None, started: None, memory_used_mb: None };
        InstancePicture { claim: Some(claim), ..testing::instance("1-1-aaaa") }
    }

    fn seen(instance: InstancePicture) -> InstancePicture {
        let endpoints = vec![testing::endpoint("dga", "1.0", "1-1-aaaa")];
        let picture = Picture::assemble(Parts { instances: vec![instance], endpoints, ..Parts::default() });
        picture.version(&testing::model("dga", "1.0")).unwrap().instances[0].clone()
    }

    #[test]
    fn an_instance_whose_claim_was_read_before_it_registered_is_ready_with_its_url() {
        let instance = seen(claimed(InstanceState::Starting));
        assert_eq!(instance.state(), InstanceState::Ready);
        assert_eq!(instance.claim.unwrap().url.as_deref(), Some("http://node7:36168"));
    }

    #[test]
    fn one_that_is_on_its_way_out_stays_so_while_its_registration_lingers() {
        for state in [InstanceState::Draining, InstanceState::Unready] {
            assert_eq!(seen(claimed(state)).state(), state);
        }
    }
}
