//! The master's snapshot as the bodies of `maas_client::api`. Pure.

use crate::observed::{Instance, Process};
use crate::view::{Role, View};
use jiff::Timestamp;
use maas_client::api::{Amounts, CapacityView, InstanceView, ModelView, NodeView, ServiceView};
use maas_client::event::Event;
use maas_client::model::{ModelId, ModelName, ModelVersion};
use maas_client::reason::VersionState;
use maas_client::registry::Endpoint;
use maas_client::standing;
use maas_client::state::Wanted;
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
    let ours: BTreeSet<&str> = running.iter().map(|instance| instance.id.as_str()).collect();
    let strangers = registered.iter().filter(|endpoint| !ours.contains(&*endpoint.id));
    instances.extend(strangers.map(|endpoint| standing::stranger_view(endpoint)));
    let ended = history.into_iter().flat_map(|history| &history.ended);
    let ended = ended.filter(|ended| !ours.contains(ended.id.as_str()));
    instances.extend(ended.map(|ended| standing::ended_view(model, ended, restarts, memory_mb)));
    let verdict = view.plan.verdicts.get(model);
    let desired = version.map_or(0, |version| version.desired.count);
    let managed = version.is_some() || !running.is_empty();
    let ready = if managed { running.iter().filter(|instance| instance.is_ready()).count() } else { registered.len() };
    let ready = u32::try_from(ready).unwrap_or(u32::MAX);
    // Before the first plan knows a version, what is there says it.
    let state = match verdict {
        Some(verdict) => verdict.state,
        None if managed => standing::of_version(desired, ready, false),
        None => VersionState::Ready,
    };
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
        rejected_24h: None,
        models: models_by_state(&models),
        instances: instances_by_state(&models),
        capacity: Some(capacity_of(view)),
        events: journal,
    }
}

/// How long ago a moment of the server's clock was, never negative: the clocks may differ.
pub(crate) fn seconds_since(then_ms: i64, now: Timestamp) -> f64 {
    let milliseconds = now.as_millisecond().saturating_sub(then_ms).max(0);
    (milliseconds as f64) / 1000.0
}

/// Versions by state: those of which anything is wanted or there. What is known of one that was removed is kept for a
/// later ADD and counts for nothing.
pub(crate) fn models_by_state(models: &[ModelView]) -> BTreeMap<String, u64> {
    let is_there = |model: &&ModelView| model.desired > 0 || live(model).next().is_some();
    count_by(models.iter().filter(is_there).map(|model| model.state.to_string()))
}

/// Instances by state: those that have not ended.
pub(crate) fn instances_by_state(models: &[ModelView]) -> BTreeMap<String, u64> {
    count_by(models.iter().flat_map(live).map(|instance| instance.state.to_string()))
}

fn live(model: &ModelView) -> impl Iterator<Item = &InstanceView> {
    model.instances.iter().filter(|instance| !instance.state.is_ended())
}

/// How often each text occurs.
fn count_by(texts: impl Iterator<Item = String>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_insert(0) += 1;
    }
    counts
}
