//! What a term notes and says: the consequences of steps in the mirror, and events about what changed.
//!
//! It decides and does nothing.

use super::{Leading, SAY_EVERY, STEP_RETRY, key};
use crate::clock::{Moment, wall_time};
use crate::execute::Done;
use crate::observed::{Observed, Process};
use crate::outbox::{EventExt, event};
use crate::plan::Step;
use maas_client::model::{ModelId, ModelName, ModelVersion};
use maas_client::reason::{InstanceState, Reason, ReasonCode, plural};
use maas_client::state::Ended;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Of this many instances it is said at once that they hold up the end.
const MOST_TOLD: usize = 5;

impl Leading<'_> {
    /// Brings what a step changed into the mirror, and says it.
    pub(super) fn note(&mut self, step: &Step, done: Done) {
        self.held_back.remove(&key(step));
        let time = wall_time();
        match done {
            Done::Nothing | Done::Started(_) | Done::Launched { .. } | Done::Placed { .. } => {}
            Done::Stopped { id, record, version } => {
                let stopping = event("InstanceStopping", time).of(&step.model).at(&id, &record.host);
                self.events.emit(stopping.why(record.reason.as_ref()));
                self.mirror.put_record(id, *record, version);
            }
            Done::Killed { id } => self.mirror.note_kill(&id, self.master.clock.moment()),
            Done::Buried { id, ended, quick } => {
                self.states.remove(&id);
                self.tell_end(&step.model, &ended);
                self.mirror.drop_instance(&id);
                if let Some(version) = self.mirror.versions.get_mut(&step.model) {
                    let version = Arc::make_mut(version);
                    let policy = &self.executor.policy;
                    let looped = version.history.is_crash_loop(policy);
                    version.history = version.history.with_ended(*ended, quick, &self.master.clock.now(), policy);
                    let failures = version.history.failures;
                    if version.history.is_crash_loop(policy) && !looped {
                        let reason = Reason::new(ReasonCode::CrashLoop, format!("failed {failures} times in a row"));
                        self.events.emit(event("CrashLoop", time).of(&step.model).why(Some(&reason)));
                    }
                }
            }
            Done::Recorded { desired, version: node_version, imported } => {
                if imported {
                    let text = format!("{} as {}", desired.path, desired.digest.as_deref().unwrap_or("?"));
                    self.events.emit(event("Imported", time).of(&step.model).because(text));
                }
                if let Some(version) = self.mirror.versions.get_mut(&step.model) {
                    let version = Arc::make_mut(version);
                    version.desired = *desired;
                    version.node_version = node_version;
                }
            }
            Done::Purged { desired, version: node_version, kept } => {
                if let Some(why) = kept {
                    let text = format!("{} was not purged: {why}", desired.path);
                    self.events.emit(event("PayloadKept", time).of(&step.model).because(text));
                }
                if let Some(version) = self.mirror.versions.get_mut(&step.model) {
                    let version = Arc::make_mut(version);
                    version.desired = *desired;
                    version.node_version = node_version;
                }
            }
            Done::Forgiven => {
                if let Some(version) = self.mirror.versions.get_mut(&step.model) {
                    Arc::make_mut(version).history.forgive();
                }
            }
        }
    }

    fn tell_end(&mut self, model: &ModelId, ended: &Ended) {
        let kind = if ended.state == InstanceState::Failed { "InstanceFailed" } else { "InstanceStopped" };
        let mut told = event(kind, wall_time()).of(model).at(&ended.id, &ended.host).why(ended.reason.as_ref());
        told.exit_code = ended.exit_code;
        self.events.emit(told);
    }

    pub(super) fn note_failure(&mut self, step: &Step, text: String, now: Moment) {
        let delay = match self.held_back.get(&key(step)) {
            Some((_, delay)) => delay.saturating_mul(2).min(STEP_RETRY.1),
            None => STEP_RETRY.0,
        };
        self.held_back.insert(key(step), (now.plus(delay), delay));
        tracing::warn!(model = %step.model, step = step.effect.word(), error = text, "step failed");
        let mut failed = event("StepFailed", wall_time()).of(&step.model);
        failed.instance = step.effect.instance().map(str::to_string);
        self.events.emit(failed.because(format!("{}: {text}", step.effect.word())));
    }

    /// Says what a master that stops its models leaves behind, because it is out of its reach.
    pub(super) fn tell_left(&mut self) {
        let mut hosts: BTreeMap<String, usize> = BTreeMap::new();
        for instance in self.mirror.instances.values() {
            *hosts.entry(instance.record.host.clone()).or_default() += 1;
        }
        for (host, count) in hosts {
            let whom = plural(count as u64, "instance");
            let text =
                format!("{whom} on {host}, told to stop, out of reach from here; a master on {host} sees to them");
            tracing::warn!(host, count, "instances are left that this master can't reach");
            self.events.emit(event("InstancesLeft", wall_time()).because(text));
        }
    }

    /// Says now and then which instances a master that is to end still waits for.
    pub(super) fn tell_what_holds_up(&mut self) {
        let now = self.master.clock.moment();
        if self.told_holding_up.is_some_and(|told| now.since(told) < SAY_EVERY) {
            return;
        }
        self.told_holding_up = Some(now);
        for instance in self.mirror.instances.values().take(MOST_TOLD) {
            let stopping = instance.stopping_since.map(|since| now.since(since));
            let (record, state) = (&instance.record, instance.state().0);
            tracing::info!(
                instance = instance.id,
                model = %record.model,
                host = record.host,
                container = record.container,
                %state,
                process = ?instance.process,
                claimed = instance.claim.is_some(),
                ?stopping,
                was_killed = instance.killed_at.is_some(),
                "ending once this one is gone"
            );
        }
    }

    /// Says what changed by itself since the last pass.
    pub(super) fn tell_changes(&mut self, observed: &Observed) {
        let time = wall_time();
        for (id, instance) in &observed.instances {
            let (state, reason) = instance.state();
            let before = self.states.get(id).copied();
            if before == Some(state) {
                continue;
            }
            let kind = match (before, state) {
                _ if matches!(instance.process, Process::Dead { .. }) => None,
                (None, _) if self.first_pass && !instance.process.is_gone() => Some("InstanceAdopted"),
                (_, InstanceState::Ready) => Some("InstanceReady"),
                // One that never was ready has nothing to lose; its end says why.
                (Some(InstanceState::Ready), InstanceState::Unready) => Some("InstanceUnready"),
                _ => None,
            };
            if let Some(kind) = kind {
                let mut told = event(kind, time).of(&instance.record.model).at(id, &instance.record.host);
                told = told.why(reason.as_ref());
                if reason.is_none() {
                    told.reason = instance.registered.clone().unwrap_or_default();
                }
                self.events.emit(told);
            }
            self.states.insert(id.clone(), state);
        }
        if self.states.len() > observed.instances.len() {
            self.states.retain(|id, _| observed.instances.contains_key(id));
        }
        if std::mem::take(&mut self.mirror.registrations_changed) {
            self.tell_current(observed, time);
        }
    }

    fn tell_current(&mut self, observed: &Observed, time: jiff::Timestamp) {
        let mut current: BTreeMap<ModelName, ModelVersion> = BTreeMap::new();
        for endpoint in observed.endpoints.values() {
            match current.get_mut(&endpoint.name) {
                Some(highest) if *highest >= endpoint.version => {}
                Some(highest) => *highest = endpoint.version.clone(),
                None => {
                    current.insert(endpoint.name.clone(), endpoint.version.clone());
                }
            }
        }
        for (name, version) in &current {
            let before = self.current.get(name);
            if before == Some(version) || (before.is_none() && self.first_pass) {
                continue;
            }
            let text = before.map_or_else(|| "was none".to_string(), |before| format!("was {before}"));
            let model = ModelId { name: name.clone(), version: version.clone() };
            self.events.emit(event("CurrentVersionMoved", time).of(&model).because(text));
        }
        for (name, before) in self.current.iter().filter(|(name, _)| !current.contains_key(*name)) {
            let mut none = event("CurrentVersionMoved", time).because(format!("none is left, was {before}"));
            none.name = Some(name.clone());
            self.events.emit(none);
        }
        self.current = current;
    }
}
