//! Gathers what is there: a mirror of our part of ZooKeeper's tree, kept up by watches, and the launcher's report.
//!
//! Changes arrive one path at a time and only that path is read again; after a lost connection everything is. What this
//! master wrote itself is noted at once, so that the next pass never decides on something older. It decides nothing.

mod paths;
mod reader;
#[cfg(test)]
mod tests;

use crate::clock::{Clock, Moment};
use crate::desired::{Desired, History, Version};
use crate::launcher::Launcher;
use crate::observed::{Instance, Observed, Process};
use crate::payload::{Payloads, key_of};
use crate::policy::Policy;
use maas_client::config::Roots;
use maas_client::model::{ModelId, ModelName};
use maas_client::reason::InstanceState;
use maas_client::registry::{self, Endpoint};
use maas_client::state::{self, Claim, InstanceRecord, Spec, Status, Wanted};
use maas_client::tree::{Error, Node, SharedTree, TreeChange};
use paths::Place;
use reader::Reader;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What this master knows of the tree.
pub struct Mirror {
    reader: Reader,
    policy: Policy,
    clock: Clock,
    changes: Vec<mpsc::UnboundedReceiver<TreeChange>>,
    pending: BTreeSet<Place>,
    stale: bool,
    /// What is wanted.
    pub versions: BTreeMap<ModelId, Arc<Version>>,
    /// Names that have a node.
    pub names: BTreeSet<ModelName>,
    /// Instances that have a record.
    pub instances: BTreeMap<String, Arc<Instance>>,
    /// Claims whose record was not read yet, and those of records.
    claims: BTreeMap<String, Claim>,
    /// Registrations that can be read.
    pub endpoints: BTreeMap<(ModelName, String), Arc<Endpoint>>,
    /// Whether a registration came, changed or went since this was last taken back.
    pub registrations_changed: bool,
}

impl Mirror {
    /// Sets the watches and reads everything once.
    pub async fn open(tree: SharedTree, roots: Roots, policy: Policy, clock: Clock) -> Result<Mirror, Error> {
        let mut changes = Vec::new();
        for root in [roots.models(), roots.instances(), roots.services.clone()] {
            changes.push(tree.watch_tree(&root).await?);
        }
        let mut mirror = Mirror {
            reader: Reader { tree, roots },
            policy,
            clock,
            changes,
            pending: BTreeSet::new(),
            stale: true,
            versions: BTreeMap::new(),
            names: BTreeSet::new(),
            instances: BTreeMap::new(),
            claims: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            registrations_changed: true,
        };
        mirror.refresh().await?;
        Ok(mirror)
    }

    /// Says that something may have been missed: the next refresh reads everything.
    pub fn mark_stale(&mut self) {
        self.stale = true;
    }

    /// Waits until something may have changed. Cancel-safe.
    pub async fn changed(&mut self) {
        if self.stale || !self.pending.is_empty() {
            return;
        }
        let [models, instances, services] = &mut self.changes[..] else {
            return std::future::pending().await;
        };
        let change = tokio::select! {
            change = models.recv() => change,
            change = instances.recv() => change,
            change = services.recv() => change,
        };
        match change {
            Some(change) => self.note(change),
            // The tree is closed; the session's state says so too.
            None => std::future::pending().await,
        }
    }

    fn note(&mut self, change: TreeChange) {
        match change {
            TreeChange::Resync => self.stale = true,
            TreeChange::Path(path) => {
                if let Some(place) = Place::of(&path, &self.reader.roots) {
                    self.pending.insert(place);
                }
            }
        }
    }

    fn drain(&mut self) {
        for index in 0..self.changes.len() {
            while let Some(Ok(change)) = self.changes.get_mut(index).map(mpsc::UnboundedReceiver::try_recv) {
                self.note(change);
            }
        }
    }

    /// Reads what changed. On an error nothing is lost: the same is read next time.
    pub async fn refresh(&mut self) -> Result<(), Error> {
        self.drain();
        if self.stale {
            let everything = self.reader.list().await?;
            self.drain();
            self.pending.extend(everything);
            let read = self.read_pending().await?;
            self.apply(read, true);
            self.stale = false;
        } else if !self.pending.is_empty() {
            let read = self.read_pending().await?;
            self.apply(read, false);
        }
        Ok(())
    }

    async fn read_pending(&mut self) -> Result<Vec<(Place, Option<Node>)>, Error> {
        let mut read = self.reader.read(self.pending.iter().cloned()).await?;
        let doubtful = self.halves(&read);
        // Later answers come after earlier ones of the same place, and win.
        read.extend(self.reader.read(doubtful).await?);
        self.pending.clear();
        Ok(read)
    }

    /// A runner writes claim and registration in one transaction, and they are read one after the other. Where one was
    /// seen without the other, both are to be read again, the claim last: only then is the registration really gone.
    fn halves(&self, read: &[(Place, Option<Node>)]) -> Vec<Place> {
        let mut claims = BTreeMap::new();
        let mut registered = BTreeMap::new();
        let mut names = BTreeMap::new();
        for (place, node) in read {
            match place {
                Place::Record(id) => {
                    let record =
                        node.as_ref().and_then(|node| serde_json::from_slice::<InstanceRecord>(&node.data).ok());
                    names.extend(record.map(|record| (id, record.model.name)));
                }
                Place::Claim(id) => {
                    let claim = node.as_ref().and_then(|node| serde_json::from_slice::<Claim>(&node.data).ok());
                    claims.insert(id, claim.is_some_and(|claim| claim.state == InstanceState::Ready));
                }
                Place::Registration(_, id) => {
                    registered.insert(id, node.is_some());
                }
                Place::Name(_) | Place::Desired(_) | Place::Spec(_) | Place::Status(_) => {}
            }
        }
        let concerned: BTreeSet<&String> = claims.keys().chain(registered.keys()).copied().collect();
        let mut again = Vec::new();
        for id in concerned {
            let known = self.instances.get(id);
            let Some(name) = names.get(id).or_else(|| Some(&known?.record.model.name)) else { continue };
            let ready = claims.get(id).copied();
            let ready = ready.unwrap_or_else(|| self.claims.get(id).is_some_and(|it| it.state == InstanceState::Ready));
            let key = (name.clone(), id.clone());
            let registered = registered.get(id).copied().unwrap_or_else(|| self.endpoints.contains_key(&key));
            if ready && !registered {
                again.extend([Place::Registration(key.0.to_string(), key.1), Place::Claim(id.clone())]);
            }
        }
        again
    }

    /// Takes over what was read; when it was everything, what was not found is gone.
    fn apply(&mut self, read: Vec<(Place, Option<Node>)>, everything: bool) {
        if everything {
            let found: BTreeSet<&Place> = read.iter().map(|(place, _)| place).collect();
            self.versions.retain(|model, _| found.contains(&Place::Desired(model.clone())));
            self.names.retain(|name| found.contains(&Place::Name(name.clone())));
            self.instances.retain(|id, _| found.contains(&Place::Record(id.clone())));
            self.claims.retain(|id, _| found.contains(&Place::Claim(id.clone())));
            let before = self.endpoints.len();
            self.endpoints
                .retain(|(name, id), _| found.contains(&Place::Registration(name.as_str().to_string(), id.clone())));
            self.registrations_changed |= self.endpoints.len() < before;
        }
        // Places sort so that versions precede their spec and status, and records their claims; answers stay in order.
        let mut read = read;
        read.sort_by(|(left, _), (right, _)| left.cmp(right));
        for (place, node) in read {
            match place {
                Place::Name(name) => self.apply_name(name, node),
                Place::Desired(model) => self.apply_desired(model, node),
                Place::Spec(model) => self.apply_spec(&model, node),
                Place::Status(model) => self.apply_status(&model, node, everything),
                Place::Record(id) => self.apply_record(id, node),
                Place::Claim(id) => self.apply_claim(id, node),
                Place::Registration(name, id) => self.apply_registration(&name, id, node),
            }
        }
        self.tie();
    }

    fn apply_name(&mut self, name: ModelName, node: Option<Node>) {
        match node {
            Some(_) => self.names.insert(name),
            None => self.names.remove(&name),
        };
    }

    fn apply_desired(&mut self, model: ModelId, node: Option<Node>) {
        let Some(node) = node else {
            self.versions.remove(&model);
            return;
        };
        let desired: state::Desired = match serde_json::from_slice(&node.data) {
            Ok(desired) => desired,
            Err(error) => {
                tracing::warn!(%model, %error, "desired state can't be read; what was known of it stands");
                return;
            }
        };
        let generation = desired.generation;
        let version = match self.versions.get(&model) {
            Some(known) => Version {
                desired,
                node_version: node.stat.version,
                history: known.history.clone().of_generation(generation),
                ..(**known).clone()
            },
            None => Version {
                desired,
                node_version: node.stat.version,
                spec: Spec::default(),
                spec_version: None,
                history: History::default().of_generation(generation),
            },
        };
        self.names.insert(model.name.clone());
        self.versions.insert(model, Arc::new(version));
    }

    fn apply_spec(&mut self, model: &ModelId, node: Option<Node>) {
        let Some(version) = self.versions.get_mut(model).map(Arc::make_mut) else { return };
        match node {
            Some(node) => {
                version.spec_version = Some(node.stat.version);
                match serde_json::from_slice(&node.data) {
                    Ok(spec) => version.spec = spec,
                    Err(error) => tracing::warn!(%model, %error, "spec can't be read; what was known of it stands"),
                }
            }
            None => (version.spec, version.spec_version) = (Spec::default(), None),
        }
    }

    /// Another leader's word on failures counts once, when this one begins: later this master knows better.
    fn apply_status(&mut self, model: &ModelId, node: Option<Node>, everything: bool) {
        let now = self.clock.moment();
        let Some(version) = self.versions.get_mut(model).map(Arc::make_mut) else { return };
        let untouched = version.history.ended.is_empty() && version.history.failures == 0;
        let Some(node) = node.filter(|_| everything && untouched) else { return };
        match serde_json::from_slice::<Status>(&node.data) {
            Ok(status) => {
                let generation = version.desired.generation;
                version.history = History::from_status(&status, now, &self.policy).of_generation(generation);
            }
            Err(error) => tracing::warn!(%model, %error, "status can't be read; failures are counted anew"),
        }
    }

    fn apply_record(&mut self, id: String, node: Option<Node>) {
        let Some(node) = node else {
            self.instances.remove(&id);
            return;
        };
        match serde_json::from_slice::<InstanceRecord>(&node.data) {
            Ok(record) => {
                self.put_record(id.clone(), record, node.stat.version);
                if let Some(instance) = self.instances.get_mut(&id).filter(|_| node.stat.cversion > 0) {
                    // Its only child is the claim: whoever ever had a child was claimed, be it under another leader.
                    Arc::make_mut(instance).was_claimed = true;
                }
            }
            Err(error) => tracing::warn!(instance = id, %error, "record can't be read; what was known of it stands"),
        }
    }

    /// Notes a record, also one that this master has just written.
    pub fn put_record(&mut self, id: String, record: InstanceRecord, record_version: i32) {
        let now = self.clock.moment();
        let stopping = (record.wanted == Wanted::Stop).then_some(now);
        match self.instances.get_mut(&id).map(Arc::make_mut) {
            Some(instance) => {
                // What this master wrote last may be newer than what was read before it.
                if record_version >= instance.record_version {
                    instance.record = record;
                    instance.record_version = record_version;
                    instance.stopping_since = instance.stopping_since.or(stopping);
                }
            }
            None => {
                let instance = Instance {
                    id: id.clone(),
                    record,
                    record_version,
                    claim: None,
                    registered: None,
                    process: Process::Absent,
                    seen: now,
                    unclaimed_since: Some(now),
                    was_claimed: false,
                    stopping_since: stopping,
                    killed_at: None,
                };
                self.instances.insert(id, Arc::new(instance));
            }
        }
    }

    fn apply_claim(&mut self, id: String, node: Option<Node>) {
        let claim = node.and_then(|node| match serde_json::from_slice::<Claim>(&node.data) {
            Ok(claim) => Some(claim),
            Err(error) => {
                tracing::warn!(instance = id, %error, "claim can't be read");
                None
            }
        });
        match claim {
            Some(claim) => self.claims.insert(id, claim),
            None => self.claims.remove(&id),
        };
    }

    fn apply_registration(&mut self, name: &str, id: String, node: Option<Node>) {
        let Ok(checked) = name.parse::<ModelName>() else { return };
        self.registrations_changed = true;
        let endpoint = node.and_then(|node| match registry::decode(name, &id, &node) {
            Ok(endpoint) => Some(endpoint),
            Err(error) => {
                tracing::debug!(name, id, %error, "registration can't be read");
                None
            }
        });
        match endpoint {
            Some(endpoint) => self.endpoints.insert((checked, id), Arc::new(endpoint)),
            None => self.endpoints.remove(&(checked, id)),
        };
    }

    /// Brings claims and registrations to their instances, and notes since when a claim is missing.
    fn tie(&mut self) {
        let now = self.clock.moment();
        for (id, instance) in &mut self.instances {
            let claim = self.claims.get(id);
            let key = (instance.record.model.name.clone(), id.clone());
            let registered = self.endpoints.get(&key).map(|endpoint| &*endpoint.url);
            let same = instance.claim.as_ref() == claim && instance.registered.as_deref() == registered;
            if same && (claim.is_some() == instance.unclaimed_since.is_none()) {
                continue;
            }
            let instance = Arc::make_mut(instance);
            instance.claim = claim.cloned();
            instance.registered = registered.map(str::to_string);
            instance.unclaimed_since = match claim {
                Some(_) => None,
                None => instance.unclaimed_since.or(Some(now)),
            };
            instance.was_claimed |= claim.is_some();
        }
    }

    /// Notes that an instance's record is deleted.
    pub fn drop_instance(&mut self, id: &str) {
        if let Some(instance) = self.instances.remove(id) {
            self.endpoints.remove(&(instance.record.model.name.clone(), id.to_string()));
            self.registrations_changed = true;
        }
        self.claims.remove(id);
    }

    /// Notes that the launcher was told to kill it.
    pub fn note_kill(&mut self, id: &str, at: Moment) {
        if let Some(instance) = self.instances.get_mut(id) {
            Arc::make_mut(instance).killed_at = Some(at);
        }
    }

    /// What is wanted, for the planner.
    pub fn desired(&self, stop_all: bool) -> Desired {
        Desired { versions: self.versions.clone(), stop_all }
    }

    /// What is there, with the launcher's and the payloads' word.
    pub async fn observe(&mut self, launcher: &dyn Launcher, payloads: &Payloads) -> Observed {
        let report = launcher.observe(&self.instances).await;
        for (id, process) in report.processes {
            if let Some(instance) = self.instances.get_mut(&id).filter(|instance| instance.process != process) {
                let instance = Arc::make_mut(instance);
                let starts = matches!(process, Process::Alive { .. }) && instance.process.never_lived();
                // It could not be claimed while it waited for its place.
                if starts && instance.process != Process::Absent && instance.claim.is_none() {
                    instance.unclaimed_since = Some(self.clock.moment());
                }
                instance.process = process;
            }
        }
        let purging = self.versions.iter().filter(|(_, version)| version.desired.purge);
        let purges = purging
            .filter_map(|(model, version)| Some((model.clone(), payloads.purge_of(model, &key_of(version))?)))
            .collect();
        let payloads = self
            .versions
            .iter()
            .filter_map(|(model, version)| Some((model.clone(), payloads.get(model, &key_of(version))?)))
            .collect();
        Observed {
            instances: self.instances.clone(),
            payloads,
            purges,
            nodes: report.nodes,
            finds_places: report.finds_places,
            endpoints: self.endpoints.clone(),
        }
    }
}
