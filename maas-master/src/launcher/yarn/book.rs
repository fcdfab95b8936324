//! Which instance has which container: what is asked for, granted, started and ended. Pure.
//!
//! Every instance has an ask of its own, so that a grant says whom it is for. A container that was started is known to
//! the ResourceManager for as long as it lives; what it runs stands in the instance's record alone, in ZooKeeper. Ids are
//! whole ids: their numbers repeat in every attempt.

use super::ends::End;
use super::exits;
use super::spread::Spread;
use super::waits::{self, Cluster};
use crate::observed::{Instance, Process};
use hadoop_yarn::client::{Allocated, Asks, Heartbeat, Pin, Registered, Want};
use hadoop_yarn::types::{
    ApplicationAttemptId, ApplicationId, Container, ContainerId, ContainerStatus, NodeId, Resource,
};
use jiff::{SignedDuration, Timestamp};
use maas_client::launch::Exit;
use maas_client::model::ModelId;
use maas_client::reason::{InstanceState, Reason, ReasonCode};
use maas_client::request::Resources;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Ends of containers that no known instance had are kept up to this number: their records may be read later.
const ENDS_KEPT: usize = 10_000;
/// Of this many instances it is known where they run or ran, for their logs.
const PLACES_KEPT: usize = 10_000;

/// A container that the ResourceManager has taken back is told to have ended at once, whatever its node does, and so within
/// this. One that a restart of the ResourceManager has swallowed is never told.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// A node that gave no container within this has none to give, and any other will do.
const PINNED_FOR: SignedDuration = SignedDuration::from_secs(3);

/// Where an instance stands.
#[derive(Debug, Clone)]
enum Slot {
    /// Asked for. Left by a grant, or by being forgotten.
    Waiting { ask: i64, needs: Resources, reason: Option<Reason>, pinned: Option<Timestamp> },
    /// Granted, not recorded yet. Back to waiting when the ResourceManager restarts; left by its place being recorded.
    Granted { container: Box<Container>, needs: Resources },
    /// Its start was ordered, now or by an earlier attempt. Left when the ResourceManager tells its end.
    Started { container: ContainerId, since: Timestamp, taken_back: Option<Timestamp> },
    /// It has ended. Left with the record.
    Ended { exit: Box<Exit> },
}

/// The book.
#[derive(Debug)]
pub(super) struct Book {
    application: ApplicationId,
    asks: Asks,
    next_ask: i64,
    slots: BTreeMap<String, Slot>,
    ends: BTreeMap<ContainerId, ContainerStatus>,
    /// Each instance's last container, and the web address of its node.
    places: BTreeMap<String, (ContainerId, String)>,
    cluster: Cluster,
    spread: Spread,
    /// Whether every container that runs has been told.
    is_settled: bool,
}

impl Book {
    /// A book of an attempt that has just registered.
    pub(super) fn new(
        attempt: ApplicationAttemptId,
        registered: &Registered,
        spread: Spread,
        minimum: Resource,
    ) -> Book {
        let mut book = Book {
            application: attempt.application,
            asks: Asks::new(),
            // Numbers of their own for each attempt: what is left of an earlier one's asks is none of ours.
            next_ask: i64::from(attempt.attempt) << 32,
            slots: BTreeMap::new(),
            ends: BTreeMap::new(),
            places: BTreeMap::new(),
            cluster: Cluster {
                maximum: registered.maximum.clone(),
                resource_types: registered.resource_types.clone(),
                counts_vcores: registered.counts_vcores,
                minimum,
                is_seen: false,
                nodes: Vec::new(),
                queue: None,
                used: Resource::default(),
            },
            spread,
            is_settled: false,
        };
        book.adopt(registered);
        book
    }

    fn adopt(&mut self, registered: &Registered) {
        for container in &registered.containers {
            self.asks.adopt(container.clone());
        }
    }

    /// All containers that run have been told, those included that nodes tell late after a restart of the ResourceManager:
    /// what is not among them has ended.
    pub(super) fn settle(&mut self) {
        self.is_settled = true;
    }

    /// Takes an ask; one that was taken before is left as it is.
    pub(super) fn take(&mut self, id: &str, model: &ModelId, needs: &Resources, now: Timestamp) {
        if self.slots.contains_key(id) {
            return;
        }
        let ask = self.next_ask;
        self.next_ask += 1;
        let never = waits::never(needs, &self.cluster);
        let mut pinned = None;
        if never.is_none() {
            let slots = &self.slots;
            let is_there = |id: &str| slots.get(id).is_some_and(|slot| !matches!(slot, Slot::Ended { .. }));
            let pin = self.spread.choose(id, model, needs, &self.cluster.nodes, is_there);
            pinned = pin.as_ref().map(|_| now);
            self.want(ask, needs, pin);
        }
        let reason = never.map(|text| Reason::new(ReasonCode::NeverFits, text));
        self.slots.insert(id.to_string(), Slot::Waiting { ask, needs: needs.clone(), reason, pinned });
    }

    fn want(&mut self, ask: i64, needs: &Resources, pin: Option<Pin>) {
        let node_label = Some(needs.label.clone()).filter(|label| !label.is_empty());
        let priority = waits::priority(needs, &self.cluster.maximum);
        self.asks.want(ask, Want { priority, resource: waits::resource(needs), node_label, count: 1, pin });
    }

    fn cancel(&mut self, ask: i64, needs: &Resources) {
        let priority = waits::priority(needs, &self.cluster.maximum);
        self.asks.want(ask, Want { priority, resource: Resource::default(), node_label: None, count: 0, pin: None });
    }

    /// Remembers where an instance runs.
    fn remember(&mut self, id: &str, container: &Container) {
        if self.places.len() >= PLACES_KEPT {
            self.places.pop_first();
        }
        self.places.insert(id.to_string(), (container.id, container.node_http_address.clone()));
    }

    /// Where an instance runs or ran: its container, and the web address of the node.
    pub(super) fn place(&self, id: &str) -> Option<(ContainerId, String)> {
        self.places.get(id).cloned()
    }

    /// The container to be started for an instance whose record now names it; `None` when it was taken back, or is
    /// being started already.
    pub(super) fn start(&mut self, id: &str, container: &str, now: Timestamp) -> Option<Container> {
        let Some(Slot::Granted { container: granted, .. }) = self.slots.get(id) else { return None };
        if granted.id.to_string() != container {
            return None;
        }
        let granted = (**granted).clone();
        // From now on it may run, whatever becomes of the call that starts it.
        self.asks.started(granted.id);
        self.remember(id, &granted);
        self.slots.insert(id.to_string(), Slot::Started { container: granted.id, since: now, taken_back: None });
        Some(granted)
    }

    /// The call that was to start it failed: its container goes back, and another is asked for under another instance.
    pub(super) fn not_started(&mut self, id: &str, container: ContainerId, why: String, now: Timestamp) {
        let is_its = matches!(self.slots.get(id), Some(Slot::Started { container: its, .. }) if *its == container);
        if !is_its {
            return;
        }
        self.asks.release(container);
        let end = End {
            state: InstanceState::Failed,
            reason: Reason::new(ReasonCode::ScriptNotStarted, why),
            exit_code: None,
        };
        let exit = exits::exit_of(id, end, "", now, now);
        self.slots.insert(id.to_string(), Slot::Ended { exit: Box::new(exit) });
    }

    /// Containers that run for instances whose runner has lost its session, each with its node. None where that is so on every one of several nodes.
    pub(super) fn out_of_sight(&self, known: &BTreeMap<String, Arc<Instance>>) -> Vec<(ContainerId, NodeId)> {
        let is_out = |id: &String| {
            known.get(id).is_some_and(|instance| instance.was_claimed && instance.unclaimed_since.is_some())
        };
        let container_of = |slot: &Slot| match slot {
            Slot::Started { container, .. } => Some(*container),
            Slot::Waiting { .. } | Slot::Granted { .. } | Slot::Ended { .. } => None,
        };
        let with_node = |container| Some((container, self.held_as(container)?.node));
        let out = self.slots.iter().filter(|(id, _)| is_out(id)).filter_map(|(_, slot)| container_of(slot));
        let out: Vec<(ContainerId, NodeId)> = out.filter_map(with_node).collect();
        let used = self.slots.values().filter_map(container_of).filter_map(with_node).map(|(_, node)| node);
        if out.is_empty() || all_at_once(&out, used) { Vec::new() } else { out }
    }

    /// Neither their runners nor their node are seen any more: they go back, and others take their place.
    pub(super) fn lost_sight(&mut self, containers: &[ContainerId], now: Timestamp) {
        for (id, slot) in &mut self.slots {
            let Slot::Started { container, since, .. } = slot else { continue };
            if !containers.contains(container) {
                continue;
            }
            self.asks.release(*container);
            let reason = Reason::new(ReasonCode::NodeLost, "its runner and its node are out of sight");
            let end = End { state: InstanceState::Failed, reason, exit_code: None };
            *slot = Slot::Ended { exit: Box::new(exits::exit_of(id, end, "", *since, now)) };
        }
    }

    /// Gives a container back, which ends it.
    pub(super) fn kill(&mut self, container: ContainerId) {
        self.asks.release(container);
    }

    /// The instance's record is gone, or never came to be.
    pub(super) fn forget(&mut self, id: &str) {
        self.spread.forget(id);
        match self.slots.remove(id) {
            Some(Slot::Waiting { ask, needs, .. }) => self.cancel(ask, &needs),
            Some(Slot::Granted { container, .. }) => self.asks.release(container.id),
            Some(Slot::Started { container, .. }) => self.asks.release(container),
            Some(Slot::Ended { .. }) | None => {}
        }
    }

    /// The next heartbeat.
    pub(super) fn heartbeat(&mut self, now: Timestamp) -> Heartbeat {
        let mut let_go = Vec::new();
        for (id, slot) in &mut self.slots {
            if let Slot::Waiting { ask, needs, pinned, .. } = slot
                // A clock that was put back must not keep it there.
                && pinned.is_some_and(|since| !(SignedDuration::ZERO..PINNED_FOR).contains(&now.duration_since(since)))
            {
                *pinned = None;
                let_go.push((id.clone(), *ask, needs.clone()));
            }
        }
        for (id, ask, needs) in let_go {
            self.spread.let_go(&id);
            // One that was cancelled meanwhile, because it never fits, stays so.
            if self.asks.wanted(ask) > 0 {
                self.want(ask, &needs, None);
            }
        }
        self.asks.heartbeat(0.5)
    }

    /// Whether an answer is waited for, so that heartbeats should follow each other quickly.
    pub(super) fn is_waiting(&self) -> bool {
        let waits = |slot: &Slot| match slot {
            Slot::Waiting { reason, .. } => reason.is_none(),
            Slot::Granted { .. } => true,
            Slot::Started { .. } | Slot::Ended { .. } => false,
        };
        self.slots.values().any(waits)
    }

    /// Takes in what the ResourceManager answered; true when something of an instance has changed.
    pub(super) fn answered(&mut self, answer: &Allocated, now: Timestamp) -> bool {
        let news = self.asks.answered(answer);
        let changed = !news.granted.is_empty() || !news.ended.is_empty() || !answer.previous.is_empty();
        for container in news.granted {
            let instance = container.allocation_request_id.and_then(|granted| {
                let asked = |slot: &Slot| matches!(slot, Slot::Waiting { ask, .. } if *ask == granted);
                self.slots.iter().find(|(_, slot)| asked(slot)).map(|(id, _)| id.clone())
            });
            match instance.and_then(|id| Some((id.clone(), self.slots.get_mut(&id)?, container.clone()))) {
                Some((id, slot, container)) => {
                    self.spread.put(&id, &container.node);
                    let Slot::Waiting { needs, .. } = slot else { continue };
                    *slot = Slot::Granted { container: Box::new(container), needs: needs.clone() };
                }
                None => self.asks.release(container.id),
            }
        }
        for status in news.ended {
            self.ended(status, now);
        }
        let given_back: BTreeSet<ContainerId> = self.asks.given_back().collect();
        for slot in self.slots.values_mut() {
            if let Slot::Started { container, taken_back, .. } = slot
                && given_back.contains(container)
            {
                taken_back.get_or_insert(now);
            }
        }
        changed
    }

    fn ended(&mut self, status: ContainerStatus, now: Timestamp) {
        let of = |slot: &Slot| match slot {
            Slot::Granted { container, .. } => Some(container.id),
            Slot::Started { container, .. } => Some(*container),
            Slot::Waiting { .. } | Slot::Ended { .. } => None,
        };
        let Some((id, slot)) = self.slots.iter_mut().find(|(_, slot)| of(slot) == Some(status.id)) else {
            if self.ends.len() >= ENDS_KEPT {
                self.ends.pop_first();
            }
            self.ends.insert(status.id, status);
            return;
        };
        match slot {
            // Nothing was started: it waits as before.
            Slot::Granted { needs, .. } => {
                let (ask, needs) = (self.next_ask, needs.clone());
                self.next_ask += 1;
                self.spread.let_go(id);
                *slot = Slot::Waiting { ask, needs: needs.clone(), reason: None, pinned: None };
                self.want(ask, &needs, None);
            }
            Slot::Started { since, .. } => {
                let exit = exits::exit_of(id, exits::word(&status, id), &status.diagnostics, *since, now);
                *slot = Slot::Ended { exit: Box::new(exit) };
            }
            Slot::Waiting { .. } | Slot::Ended { .. } => {}
        }
    }

    /// The ResourceManager refused the last heartbeat for an ask of it. The instance whose ask it was waits for ever.
    pub(super) fn refused(&mut self, why: &str) {
        let Some(bad) = self.asks.refused() else { return };
        for slot in self.slots.values_mut() {
            if let Slot::Waiting { ask, reason, .. } = slot
                && Some(*ask) == bad.allocation_request_id
            {
                *reason = Some(Reason::new(ReasonCode::NeverFits, why.to_string()));
            }
        }
    }

    /// The ResourceManager has restarted and this attempt has registered again: what was granted and not started is gone
    /// without a word, and is asked for again.
    pub(super) fn registered_again(&mut self, registered: &Registered) {
        let lost = self.asks.registered_again();
        for container in lost {
            let gone =
                |slot: &&mut Slot| matches!(slot, Slot::Granted { container: its, .. } if its.id == container.id);
            if let Some(slot) = self.slots.values_mut().find(gone)
                && let (Slot::Granted { needs, .. }, Some(ask)) = (&*slot, container.allocation_request_id)
            {
                *slot = Slot::Waiting { ask, needs: needs.clone(), reason: None, pinned: None };
            }
        }
        for slot in self.slots.values_mut() {
            if let Slot::Started { taken_back, .. } = slot {
                *taken_back = None;
            }
        }
        self.cluster.maximum = registered.maximum.clone();
        self.cluster.counts_vcores = registered.counts_vcores;
        self.adopt(registered);
        // Nodes tell what runs on them one after another.
        self.is_settled = false;
    }

    /// Takes in how the cluster is, and says of everything that waits why it does.
    pub(super) fn see(&mut self, cluster: Cluster) {
        let Cluster { nodes, queue, used, .. } = cluster;
        self.cluster = Cluster { nodes, queue, used, is_seen: true, ..self.cluster.clone() };
        let mut changes = Vec::new();
        for slot in self.slots.values_mut() {
            let Slot::Waiting { ask, needs, reason, .. } = slot else { continue };
            let was_never = reason.as_ref().is_some_and(|reason| reason.code == ReasonCode::NeverFits);
            let why = waits::why_not(needs, &self.cluster);
            if was_never != (why.code == ReasonCode::NeverFits) {
                changes.push((*ask, needs.clone(), !was_never));
            }
            *reason = Some(why);
        }
        for (ask, needs, never) in changes {
            if never { self.cancel(ask, &needs) } else { self.want(ask, &needs, None) }
        }
    }

    /// How the cluster was seen last.
    pub(super) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Whether anything waits for a place.
    pub(super) fn anything_waits(&self) -> bool {
        self.waiting().next().is_some()
    }

    /// What needs a place that it does not have yet.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Resources> {
        self.slots.values().filter_map(|slot| match slot {
            Slot::Waiting { needs, .. } => Some(needs),
            _ => None,
        })
    }

    /// What the application's instances have.
    pub(super) fn held(&self) -> Resource {
        let sum = |all: Resource, one: &Container| {
            Resource::new(all.memory_mb + one.resource.memory_mb, all.vcores + one.resource.vcores)
        };
        self.asks.held().fold(Resource::default(), sum)
    }

    /// What is known of an instance. One that an earlier attempt started is found by the container that its record names.
    pub(super) fn process(&mut self, id: &str, instance: &Instance, now: Timestamp) -> Process {
        if !self.slots.contains_key(id) {
            self.find(id, instance, now);
        }
        if let Some(slot) = self.slots.get_mut(id)
            && let Slot::Started { since, taken_back: Some(at), .. } = slot
            // Until then a node may still tell of it.
            && self.is_settled
            && now.duration_since(*at).abs() > TOLD_WITHIN
        {
            *slot = Slot::Ended { exit: Box::new(exits::unknown_to_yarn(id, *since, now)) };
        }
        match self.slots.get(id) {
            Some(Slot::Waiting { reason, .. }) => Process::Waiting { reason: reason.clone() },
            Some(Slot::Granted { container, .. }) => {
                Process::Granted { container: container.id.to_string(), host: container.node.host.clone() }
            }
            Some(Slot::Started { .. }) => Process::Alive { pid: None },
            Some(Slot::Ended { exit }) => Process::Dead { exit: Some((**exit).clone()) },
            None if instance.record.container.is_some() => Process::Alive { pid: None },
            None => Process::Absent,
        }
    }

    fn held_as(&self, id: ContainerId) -> Option<Container> {
        self.asks.held().find(|held| held.id == id).cloned()
    }

    fn find(&mut self, id: &str, instance: &Instance, now: Timestamp) {
        let record = &instance.record;
        let Some(named) = record.container.as_deref() else { return };
        let since = record.created;
        let slot = match named.parse::<ContainerId>() {
            Ok(container) => match self.held_as(container) {
                Some(held) => {
                    self.remember(id, &held);
                    self.spread.adopt(id, &record.model, &held.node);
                    Some(Slot::Started { container, since, taken_back: None })
                }
                None => self.ends.remove(&container).map(|status| {
                    let exit = exits::exit_of(id, exits::word(&status, id), &status.diagnostics, since, now);
                    Slot::Ended { exit: Box::new(exit) }
                }),
            },
            Err(_) => None,
        };
        let gone = || Slot::Ended { exit: Box::new(exits::unknown_to_yarn(id, since, now)) };
        // Containers of an application that is over are over.
        let is_anothers = named.parse::<ContainerId>().is_ok_and(|id| id.attempt.application != self.application);
        if let Some(slot) = slot.or_else(|| (self.is_settled || is_anothers).then(gone)) {
            self.slots.insert(id.to_string(), slot);
        }
    }
}

/// Whether these are on several nodes, and no other node is used: that looks like the way to them and not like a loss.
fn all_at_once(out: &[(ContainerId, NodeId)], used: impl IntoIterator<Item = NodeId>) -> bool {
    let out: BTreeSet<&NodeId> = out.iter().map(|(_, node)| node).collect();
    out.len() > 1 && used.into_iter().all(|node| out.contains(&node))
}

#[cfg(test)]
mod tests;
