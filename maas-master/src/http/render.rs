//! The master's snapshot as the bodies of `maas_client::api`. Pure.

use crate::observed::{Instance, Process};
use crate::view::{Role, View};
use jiff::Timestamp;
use maas_client::api::{Amounts, CapacityView, InstanceView, ModelView, NodeView, ServiceView};
use maas_client::event::Event;
use maas_client::model::{ModelId, ModelName, ModelVersion};
use maas_client::reason::{InstanceState, VersionState};
use maas_client::registry::Endpoint;
use maas_client::state::{Ended, Wanted};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Every version: those that are wanted or still run, and those others registered. By name, then version.
pub fn models_of(view: &View) -> Vec<ModelView> {
    let endpoints = endpoints_by_model(view);
    let current = current_versions(&endpoints);
    let mut running: BTreeMap<&ModelId, Vec<&Arc<Instance>>> = BTreeMap::new();
    for instance in view.observed.instances.values() {
        running.entry(&instance.record.model).or_default().push(instance);
    }
    let known = view.desired.versions.keys().chain(running.keys().copied()).chain(endpoints.keys());
    let models: BTreeSet<&ModelId> = known.collect();
    models
        .into_iter()
        .map(|model| {
            let is_current = current.get(&model.name) == Some(&&model.version);
            let instances = running.get(model).map_or(&[][..], Vec::as_slice);
            let registered = endpoints.get(model).map_or(&[][..], Vec::as_slice);
            model_of(view, model, is_current, instances, registered)
        })
        .collect()
}

fn endpoints_by_model(view: &View) -> BTreeMap<ModelId, Vec<&Arc<Endpoint>>> {
    let mut by_model: BTreeMap<ModelId, Vec<&Arc<Endpoint>>> = BTreeMap::new();
    for endpoint in view.observed.endpoints.values() {
        by_model.entry(endpoint.model()).or_default().push(endpoint);
    }
    by_model
}

/// The version callers get by default: the highest that is registered.
fn current_versions<'a>(
    endpoints: &'a BTreeMap<ModelId, Vec<&Arc<Endpoint>>>,
) -> BTreeMap<&'a ModelName, &'a ModelVersion> {
    // The map is ordered by name, then version: the last one of a name stays.
    endpoints.keys().map(|model| (&model.name, &model.version)).collect()
}

fn model_of(
    view: &View,
    model: &ModelId,
    current: bool,
    running: &[&Arc<Instance>],
    registered: &[&Arc<Endpoint>],
) -> ModelView {
    let version = view.desired.versions.get(model);
    let history = version.map(|version| &version.history);
    let restarts = history.map_or(0, |history| history.restarts);
    let mut instances: Vec<InstanceView> = running.iter().map(|instance| instance_of(instance, restarts)).collect();
    let resources = version.map(|version| version.desired.resources.clone());
    let memory_mb = resources.as_ref().map_or(0, |resources| resources.memory_mb);
    for ended in history.into_iter().flat_map(|history| &history.ended) {
        if !running.iter().any(|instance| instance.id == ended.id) {
            instances.push(ended_of(model, ended, restarts, memory_mb));
        }
    }
    for endpoint in registered {
        if !running.iter().any(|instance| *instance.id == *endpoint.id) {
            instances.push(stranger_of(model, endpoint));
        }
    }
    let verdict = view.plan.verdicts.get(model);
    let desired = version.map_or(0, |version| version.desired.count);
    let ready = u32::try_from(registered.len()).unwrap_or(u32::MAX);
    let managed = version.is_some() || !running.is_empty();
    let state = verdict.map_or_else(|| state_without_verdict(managed, desired, ready), |verdict| verdict.state);
    ModelView {
        name: model.name.clone(),
        version: model.version.clone(),
        current,
        managed,
        desired,
        ready,
        state,
        reason: verdict.and_then(|verdict| verdict.reason.clone()),
        restarts,
        memory_mb,
        vcores: resources.as_ref().map_or(0, |resources| resources.vcores),
        gpus: resources.as_ref().map_or(0, |resources| resources.gpus),
        path: version.map(|version| version.desired.path.clone()).unwrap_or_default(),
        digest: version.and_then(|version| version.desired.digest.clone()),
        published: version.map(|version| version.desired.published),
        by: version.and_then(|version| version.desired.by.clone()),
        instances,
    }
}

/// Before the first plan knows a version, and for versions of others.
fn state_without_verdict(managed: bool, desired: u32, ready: u32) -> VersionState {
    match (managed, desired, ready) {
        (false, _, _) => VersionState::Ready,
        (true, 0, _) => VersionState::Stopping,
        (true, _, 0) => VersionState::Starting,
        (true, desired, ready) if ready < desired => VersionState::Degraded,
        (true, _, _) => VersionState::Ready,
    }
}

fn instance_of(instance: &Instance, restarts: u64) -> InstanceView {
    let (state, reason) = instance.state();
    let claim = instance.claim.as_ref();
    let exit = match &instance.process {
        Process::Dead { exit } => exit.as_ref(),
        _ => None,
    };
    let pid_seen = match instance.process {
        Process::Alive { pid } => pid,
        _ => None,
    };
    InstanceView {
        id: instance.id.clone(),
        name: instance.record.model.name.clone(),
        version: instance.record.model.version.clone(),
        state,
        url: claim.and_then(|claim| claim.url.clone()).or_else(|| instance.registered.clone()),
        host: claim.map_or_else(|| instance.record.host.clone(), |claim| claim.host.clone()),
        pid: claim.map(|claim| claim.pid).or(pid_seen),
        container: instance.record.container.clone(),
        started: claim
            .and_then(|claim| claim.started)
            .or_else(|| exit.and_then(|exit| exit.started))
            .or(Some(instance.record.created)),
        restarts,
        memory_mb: instance.record.resources.memory_mb,
        memory_used_mb: claim.and_then(|claim| claim.memory_used_mb),
        reason,
        exit_code: exit.and_then(|exit| exit.exit_code),
    }
}

fn ended_of(model: &ModelId, ended: &Ended, restarts: u64, memory_mb: u64) -> InstanceView {
    InstanceView {
        id: ended.id.clone(),
        name: model.name.clone(),
        version: model.version.clone(),
        state: ended.state,
        url: None,
        host: ended.host.clone(),
        pid: None,
        container: None,
        started: Some(ended.started),
        restarts,
        memory_mb,
        memory_used_mb: None,
        reason: ended.reason.clone(),
        exit_code: ended.exit_code,
    }
}

/// A registration without a record of ours: another program's, or one whose runner lost its record.
fn stranger_of(model: &ModelId, endpoint: &Endpoint) -> InstanceView {
    let host = url::Url::parse(&endpoint.url).ok().and_then(|url| url.host_str().map(str::to_string));
    InstanceView {
        id: endpoint.id.to_string(),
        name: model.name.clone(),
        version: model.version.clone(),
        state: InstanceState::Ready,
        url: Some(endpoint.url.to_string()),
        host: host.unwrap_or_default(),
        pid: None,
        container: None,
        started: Timestamp::from_millisecond(endpoint.registered_ms).ok(),
        restarts: 0,
        memory_mb: 0,
        memory_used_mb: None,
        reason: None,
        exit_code: None,
    }
}

/// Room per node and what waits for it, from the plan, else from what is observed.
pub fn capacity_of(view: &View) -> CapacityView {
    if let Some(capacity) = &view.plan.capacity {
        return capacity.clone();
    }
    let nodes = view.observed.nodes.iter().map(|node| {
        let mut used = Amounts::default();
        let held = view.observed.instances.values().filter(|instance| instance.record.host == node.host);
        for instance in held.filter(|instance| !instance.process.is_gone() || instance.record.wanted == Wanted::Run) {
            let resources = &instance.record.resources;
            used.memory_mb = used.memory_mb.saturating_add(resources.memory_mb);
            used.vcores = used.vcores.saturating_add(resources.vcores);
            used.gpus = used.gpus.saturating_add(resources.gpus);
        }
        NodeView {
            host: node.host.clone(),
            total: node.total,
            used,
            free: less(node.total, used),
            shares_vcores: !node.limits_vcores,
        }
    });
    CapacityView { nodes: nodes.collect(), waiting: Vec::new() }
}

fn less(total: Amounts, used: Amounts) -> Amounts {
    Amounts {
        memory_mb: total.memory_mb.saturating_sub(used.memory_mb),
        vcores: total.vcores.saturating_sub(used.vcores),
        gpus: total.gpus.saturating_sub(used.gpus),
    }
}

/// The service as a whole, as this master sees it. `rejected_24h` and `standbys` are not in a snapshot.
pub fn service_of(view: &View, zookeeper: &str, now: Timestamp, journal: Vec<Event>) -> ServiceView {
    let leader = match &view.role {
        Role::Leading(leader) => Some(leader.clone()),
        Role::Standby { leader } => leader.clone(),
        Role::Connecting => None,
    };
    let models = models_of(view);
    ServiceView {
        leader,
        standbys: Vec::new(),
        zookeeper: zookeeper.to_string(),
        queue_length: view.queue.waiting,
        queue_oldest_s: view.queue.oldest_ms.map(|ms| seconds_since(ms, now)),
        rejected_24h: 0,
        models: count_by(models.iter().map(|model| model.state.to_string())),
        instances: count_by(
            models.iter().flat_map(|model| &model.instances).map(|instance| instance.state.to_string()),
        ),
        capacity: Some(capacity_of(view)),
        events: journal,
    }
}

/// How long ago a moment of the server's clock was, never negative: the clocks may differ.
pub(crate) fn seconds_since(then_ms: i64, now: Timestamp) -> f64 {
    let milliseconds = now.as_millisecond().saturating_sub(then_ms).max(0);
    (milliseconds as f64) / 1000.0
}

/// How often each text occurs.
pub(crate) fn count_by(texts: impl Iterator<Item = String>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_insert(0) += 1;
    }
    counts
}
