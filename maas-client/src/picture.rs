//! What ZooKeeper says of all models, put together: wanted numbers, instances, claims, registrations.
//!
//! [`Picture::read`] does the reading, [`Picture::assemble`] and all questions to a picture are pure. What `maas_deploy`
//! lists and waits for and what a standby answers stand on it; no master is needed. A node that can't be read is noted
//! and hides no other: `read` sees to that. Where one instance stands is [`crate::standing`]'s.

mod read;

pub use read::{decode, noted_if_locked, read_nodes, read_permitted};

use crate::api::{InstanceView, ModelView};
use crate::config::Roots;
use crate::model::{ModelId, ModelName};
use crate::reason::{InstanceState, Reason, VersionState};
use crate::registry::{Endpoint, Registry};
use crate::standing;
use crate::state::{Claim, Desired, InstanceRecord, Status};
use crate::tree::{Error, SharedTree};
use std::collections::{BTreeMap, BTreeSet};

/// One instance as ZooKeeper has it.
#[derive(Debug, Clone, PartialEq)]
pub struct InstancePicture {
    /// The instance.
    pub id: String,
    /// The master's intent.
    pub record: InstanceRecord,
    /// The runner's claim, while its session lives.
    pub claim: Option<Claim>,
    /// Whether a runner has claimed it at some time.
    pub was_claimed: bool,
    /// Its registration's url, while it is registered.
    pub registered: Option<String>,
}

impl InstancePicture {
    fn standing(&self) -> (InstanceState, Option<Reason>) {
        standing::of_instance(&self.record, self.claim.as_ref(), self.registered.is_some(), self.was_claimed)
    }

    /// Where it stands.
    pub fn state(&self) -> InstanceState {
        self.standing().0
    }

    /// Why it is there.
    pub fn reason(&self) -> Option<Reason> {
        self.standing().1
    }

    /// The host it runs on, or is meant for.
    pub fn host(&self) -> &str {
        self.claim.as_ref().map_or(&self.record.host, |claim| &claim.host)
    }

    /// Its published url, once known.
    pub fn url(&self) -> Option<&str> {
        self.claim.as_ref().and_then(|claim| claim.url.as_deref()).or(self.registered.as_deref())
    }

    fn to_view(&self, restarts: u64) -> InstanceView {
        let (state, reason) = self.standing();
        let claim = self.claim.as_ref();
        InstanceView {
            id: self.id.clone(),
            name: self.record.model.name.clone(),
            version: self.record.model.version.clone(),
            state,
            url: self.url().map(str::to_string),
            host: self.host().to_string(),
            pid: claim.map(|claim| claim.pid),
            container: self.record.container.clone(),
            started: claim.and_then(|claim| claim.started).or(Some(self.record.created)),
            restarts,
            memory_mb: self.record.resources.memory_mb,
            memory_used_mb: claim.and_then(|claim| claim.memory_used_mb),
            reason,
            exit_code: None,
        }
    }
}

/// One version as ZooKeeper has it.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionPicture {
    /// Which.
    pub model: ModelId,
    /// What is wanted; `None` when it was registered by others.
    pub desired: Option<Desired>,
    /// What the leader says of it.
    pub status: Option<Status>,
    /// Its instances, oldest first.
    pub instances: Vec<InstancePicture>,
    /// What callers see of it.
    pub endpoints: Vec<Endpoint>,
}

impl VersionPicture {
    fn new(model: ModelId) -> Self {
        VersionPicture { model, desired: None, status: None, instances: Vec::new(), endpoints: Vec::new() }
    }

    fn see_registered(&mut self) {
        let urls: BTreeMap<&str, &str> =
            self.endpoints.iter().map(|endpoint| (&*endpoint.id, &*endpoint.url)).collect();
        for instance in &mut self.instances {
            instance.registered = urls.get(instance.id.as_str()).map(|url| url.to_string());
        }
    }

    /// Whether our master manages it. What others register under it is theirs all the same.
    pub fn managed(&self) -> bool {
        self.desired.is_some() || !self.instances.is_empty()
    }

    /// Registrations that are no instance's of ours.
    pub fn strangers(&self) -> impl Iterator<Item = &Endpoint> {
        let ours: BTreeSet<&str> = self.instances.iter().map(|instance| instance.id.as_str()).collect();
        self.endpoints.iter().filter(move |endpoint| !ours.contains(&*endpoint.id))
    }

    /// How many are wanted.
    pub fn wanted(&self) -> u32 {
        self.desired.as_ref().map_or(0, |desired| desired.count)
    }

    /// How many of ours answer callers and shall go on; of a version of others, how many are registered.
    pub fn ready(&self) -> u32 {
        let ours = || self.instances.iter().filter(|instance| instance.state() == InstanceState::Ready).count();
        let ready = if self.managed() { ours() } else { self.endpoints.len() };
        u32::try_from(ready).unwrap_or(u32::MAX)
    }

    /// The leader's word, when it is about what is wanted now.
    pub fn fresh_status(&self) -> Option<&Status> {
        let (desired, status) = (self.desired.as_ref()?, self.status.as_ref()?);
        (status.generation >= desired.generation && status.desired == desired.count).then_some(status)
    }

    /// Its state: by what is ready now, and by the leader's word where that knows more.
    pub fn state(&self) -> VersionState {
        if !self.managed() {
            return VersionState::Ready;
        }
        let is_crash_loop = self.status.as_ref().is_some_and(|status| status.state == VersionState::Failed);
        standing::of_version(self.wanted(), self.ready(), is_crash_loop)
    }

    /// Why, as far as the leader's word is about this state.
    pub fn reason(&self) -> Option<&Reason> {
        let state = self.state();
        self.status.as_ref().filter(|status| status.state == state).and_then(|status| status.reason.as_ref())
    }

    /// As `GET /models` shows it, without the instances that have ended.
    pub fn to_view(&self, current: bool) -> ModelView {
        let desired = self.desired.as_ref();
        let restarts = self.status.as_ref().map_or(0, |status| status.restarts);
        let ours = self.instances.iter().map(|instance| instance.to_view(restarts));
        ModelView {
            name: self.model.name.clone(),
            version: self.model.version.clone(),
            current,
            managed: self.managed(),
            desired: self.wanted(),
            ready: self.ready(),
            state: self.state(),
            reason: self.reason().cloned(),
            restarts,
            memory_mb: desired.map_or(0, |desired| desired.resources.memory_mb),
            vcores: desired.map_or(0, |desired| desired.resources.vcores),
            gpus: desired.map_or(0, |desired| desired.resources.gpus),
            path: desired.map(|desired| desired.path.clone()).unwrap_or_default(),
            digest: desired.and_then(|desired| desired.digest.clone()),
            published: desired.map(|desired| desired.published),
            by: desired.and_then(|desired| desired.by.clone()),
            instances: ours.chain(self.strangers().map(standing::stranger_view)).collect(),
        }
    }

    /// What is kept of its instances that have ended, as `GET /models` shows them.
    pub fn ended(&self) -> Vec<InstanceView> {
        let Some(status) = &self.status else { return Vec::new() };
        let memory_mb = self.desired.as_ref().map_or(0, |desired| desired.resources.memory_mb);
        let still_there = |id: &str| self.instances.iter().any(|instance| instance.id == id);
        let ended = status.ended.iter().filter(|ended| !still_there(&ended.id));
        ended.map(|ended| standing::ended_view(&self.model, ended, status.restarts, memory_mb)).collect()
    }
}

/// All versions, sorted by name and natural order of versions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Picture {
    /// The versions.
    pub versions: BTreeMap<ModelId, VersionPicture>,
    /// Nodes that hold something else than they should, with what is wrong.
    pub unreadable: Vec<String>,
}

/// The nodes a picture is made of, as they were read.
#[derive(Debug, Default)]
pub struct Parts {
    /// Wanted state by version.
    pub desired: Vec<(ModelId, Desired)>,
    /// The leader's word by version.
    pub status: Vec<(ModelId, Status)>,
    /// Intents and claims.
    pub instances: Vec<InstancePicture>,
    /// Registrations.
    pub endpoints: Vec<Endpoint>,
    /// What could not be read.
    pub unreadable: Vec<String>,
}

impl Picture {
    /// Puts the parts together.
    pub fn assemble(parts: Parts) -> Picture {
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
    pub fn current(&self, name: &ModelName) -> Option<&VersionPicture> {
        self.of(name).filter(|version| !version.endpoints.is_empty()).last()
    }

    /// Whether this is the version callers get by default.
    pub fn is_current(&self, model: &ModelId) -> bool {
        self.current(&model.name).is_some_and(|current| current.model == *model)
    }

    /// The versions of one model, lowest first.
    pub fn of<'a>(&'a self, name: &ModelName) -> impl Iterator<Item = &'a VersionPicture> + use<'a> {
        let name = name.clone();
        self.versions.values().filter(move |version| version.model.name == name)
    }

    /// One version.
    pub fn version(&self, model: &ModelId) -> Option<&VersionPicture> {
        self.versions.get(model)
    }

    /// Reads everything, or all of one model.
    pub async fn read(tree: &SharedTree, roots: &Roots, name: Option<&ModelName>) -> Result<Picture, Error> {
        let mut parts = Parts::default();
        read::models(tree.as_ref(), roots, name, &mut parts).await?;
        read::instances(tree.as_ref(), roots, name, &mut parts).await?;
        let registry = Registry::new(tree.clone(), roots);
        let listing = match name {
            Some(name) => registry.list(name.as_str()).await?,
            None => registry.list_all().await?,
        };
        parts.endpoints = listing.endpoints;
        let skipped = listing.skipped.into_iter().map(|skipped| format!("{}: {}", skipped.path, skipped.error));
        parts.unreadable.extend(skipped);
        Ok(Picture::assemble(parts))
    }
}

fn slot(versions: &mut BTreeMap<ModelId, VersionPicture>, model: ModelId) -> &mut VersionPicture {
    versions.entry(model.clone()).or_insert_with(|| VersionPicture::new(model))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::default_functions;
    use crate::request::Resources;
    use crate::state::{CallSettings, Wanted};
    use jiff::Timestamp;
    use std::sync::Arc;

    fn dga() -> ModelId {
        ModelId::new("dga", "1.0").unwrap()
    }

    fn instance(id: &str, state: InstanceState, wanted: Wanted) -> InstancePicture {
        let record = InstanceRecord {
            model: dga(),
            wanted,
            reason: None,
            epoch: 1,
            resources: Resources::default(),
            digest: "sha256:00".into(),
            host: "node7".into(),
            container: None,
            local: None,
            created: Timestamp::UNIX_EPOCH,
            stop_bound_s: 10,
        };
        let claim =
            Claim { state, reason: None, pid: 7, host: "node7".into(), url: None, started: None, memory_used_mb: None };
        InstancePicture { id: id.into(), record, claim: Some(claim), was_claimed: true, registered: None }
    }

    fn endpoint(version: &str, id: &str) -> Endpoint {
        Endpoint {
            name: "dga".parse().unwrap(),
            version: version.parse().unwrap(),
            id: id.into(),
            url: format!("http://node7:1/{id}").into(),
            functions: Arc::new(default_functions()),
            registered_ms: 0,
            czxid: 1,
        }
    }

    fn desired(count: u32) -> Desired {
        Desired {
            count,
            digest: None,
            path: "/models/dga/1.0".into(),
            resources: Resources::default(),
            call: CallSettings::default(),
            generation: 0,
            published: Timestamp::UNIX_EPOCH,
            by: None,
            request: String::new(),
            purge: false,
            purged: false,
        }
    }

    #[test]
    fn an_instance_whose_claim_was_read_before_it_registered_is_ready_with_its_url() {
        let instances = vec![instance("1-1-aaaa", InstanceState::Starting, Wanted::Run)];
        let endpoints = vec![endpoint("1.0", "1-1-aaaa")];
        let picture = Picture::assemble(Parts { instances, endpoints, ..Parts::default() });
        let seen = &picture.version(&dga()).unwrap().instances[0];
        assert_eq!((seen.state(), seen.url()), (InstanceState::Ready, Some("http://node7:1/1-1-aaaa")));
    }

    #[test]
    fn registrations_of_others_and_of_what_is_stopped_make_no_version_of_ours_ready() {
        let parts = Parts {
            desired: vec![(dga(), desired(1))],
            instances: vec![
                instance("1-1-aaaa", InstanceState::Ready, Wanted::Stop),
                instance("1-2-bbbb", InstanceState::Ready, Wanted::Run),
            ],
            endpoints: vec![endpoint("1.0", "1-1-aaaa"), endpoint("1.0", "9"), endpoint("2.0", "9")],
            ..Parts::default()
        };
        let picture = Picture::assemble(parts);
        let ours = picture.version(&dga()).unwrap();
        assert_eq!((ours.ready(), ours.state()), (0, VersionState::Starting));
        let view = ours.to_view(false);
        let states: Vec<(&str, InstanceState)> =
            view.instances.iter().map(|instance| (instance.id.as_str(), instance.state)).collect();
        let expected =
            [("1-1-aaaa", InstanceState::Draining), ("1-2-bbbb", InstanceState::Unready), ("9", InstanceState::Ready)];
        assert_eq!(states, expected);
        let theirs = picture.version(&ModelId::new("dga", "2.0").unwrap()).unwrap();
        assert_eq!((theirs.ready(), theirs.state(), theirs.managed()), (1, VersionState::Ready, false));
        assert!(picture.is_current(&theirs.model) && !picture.is_current(&ours.model));
    }
}
