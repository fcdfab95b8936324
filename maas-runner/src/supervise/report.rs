//! What others are told of an instance: its claim and registration while it lives, `exit.json` at its end.

use crate::error::{Error, describe};
use crate::ledger::Target;
use crate::lifecycle::{Lifecycle, ScriptEnd};
use crate::memory::is_notable;
use jiff::Timestamp;
use maas_client::launch::{Exit, LaunchSpec};
use maas_client::reason::{InstanceState, Reason, ReasonCode};
use maas_client::registry::Registration;
use maas_client::state::Claim;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often the memory in the claim is refreshed at most.
const MEMORY_TOLD_EVERY: Duration = Duration::from_secs(10);

/// Keeps the target of the ledger in step with the instance.
pub(super) struct Report {
    id: String,
    host: String,
    target: watch::Sender<Target>,
    started: Option<(Timestamp, Instant)>,
    ran: Option<Duration>,
    memory_told: Option<Instant>,
}

impl Report {
    /// The first claim.
    pub(super) fn first(spec: &LaunchSpec) -> Target {
        Target {
            claim: Claim {
                state: InstanceState::Localizing,
                reason: None,
                pid: std::process::id(),
                host: spec.advertise.clone(),
                url: None,
                started: None,
                memory_used_mb: None,
            },
            registration: None,
        }
    }

    /// A reporter that feeds `target`.
    pub(super) fn new(spec: &LaunchSpec, target: watch::Sender<Target>) -> Report {
        Report {
            id: spec.id.clone(),
            host: spec.advertise.clone(),
            target,
            started: None,
            ran: None,
            memory_told: None,
        }
    }

    /// The script was started just now.
    pub(super) fn started(&mut self) {
        let now = milliseconds(Timestamp::now());
        self.started = Some((now, Instant::now()));
    }

    /// The script has ended just now.
    pub(super) fn script_ended(&mut self) {
        self.ran = self.started.map(|(_, since)| since.elapsed());
    }

    /// State, reason and url as they are now.
    pub(super) fn update(&self, lifecycle: &Lifecycle) {
        self.target.send_modify(|target| self.describe(&mut target.claim, lifecycle));
    }

    /// The registration, and the state with it: both go into one transaction.
    pub(super) fn register(&self, registration: Option<Registration>, lifecycle: &Lifecycle) {
        self.target.send_modify(|target| {
            target.registration = registration;
            self.describe(&mut target.claim, lifecycle);
        });
    }

    fn describe(&self, claim: &mut Claim, lifecycle: &Lifecycle) {
        claim.state = lifecycle.state();
        claim.reason = lifecycle.reason().cloned();
        claim.url = lifecycle.url().map(str::to_string);
        claim.started = self.started.map(|(when, _)| when);
    }

    /// A new look at the memory, told when it is notable.
    pub(super) fn memory(&mut self, used_mb: u64, now: Instant) {
        let told = self.target.borrow().claim.memory_used_mb;
        let due = self.memory_told.is_none_or(|when| now.saturating_duration_since(when) >= MEMORY_TOLD_EVERY);
        if due && is_notable(told, used_mb) {
            self.memory_told = Some(now);
            self.target.send_modify(|target| target.claim.memory_used_mb = Some(used_mb));
        }
    }

    /// What is left behind.
    pub(super) fn exit(&self, lifecycle: &Lifecycle, stderr_tail: Vec<String>) -> Exit {
        let (state, reason) = match lifecycle.end() {
            Some(end) => (end.state, end.reason.clone()),
            None => (InstanceState::Failed, Reason::new(ReasonCode::Killed, "it ended for no known reason")),
        };
        let ran = self.ran.or_else(|| self.started.map(|(_, since)| since.elapsed())).unwrap_or_default();
        Exit {
            id: self.id.clone(),
            state,
            reason,
            exit_code: lifecycle.script_end().map(ScriptEnd::code),
            host: self.host.clone(),
            started: self.started.map(|(when, _)| when),
            ended: milliseconds(Timestamp::now()),
            ran_ms: u64::try_from(ran.as_millis()).unwrap_or(u64::MAX),
            was_ready: lifecycle.was_ready(),
            stderr_tail,
        }
    }
}

/// What is left behind where nothing could be started: of the order, as much as could be read.
pub(super) fn refused(name: String, spec: Option<&LaunchSpec>, error: &Error) -> Exit {
    Exit {
        id: spec.map_or(name, |spec| spec.id.clone()),
        state: InstanceState::Failed,
        reason: Reason::new(ReasonCode::ScriptNotStarted, describe(error)),
        exit_code: None,
        host: spec.map(|spec| spec.advertise.clone()).unwrap_or_default(),
        started: None,
        ended: milliseconds(Timestamp::now()),
        ran_ms: 0,
        was_ready: false,
        stderr_tail: Vec::new(),
    }
}

/// Times in JSON have milliseconds.
fn milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}
