//! The life of one instance as a state machine: what has happened goes in, what is to be done comes out. Pure.
//!
//! No I/O, no clock of its own and no task: [`crate::supervise`] feeds it events with the time and carries out its
//! effects. Every instance ends exactly once, by [`Effect::Finish`], and not before nothing of it is left alive.

mod effect;
mod end;
#[cfg(test)]
mod tests;

pub(crate) use effect::{Effect, Event, Policy};
pub(crate) use end::{End, ScriptEnd};

use crate::endpoint::{Conclusion, Published};
use maas_client::reason::{InstanceState, Reason, ReasonCode};
use std::time::{Duration, Instant};

/// Probes follow each other this quickly at first, doubling up to the interval that is set.
const FIRST_RETRY: Duration = Duration::from_millis(25);
/// How long no connection must be seen, after the registration has gone, before draining ends early: callers need a
/// moment to hear of it.
const QUIET: Duration = Duration::from_millis(300);

/// Where an instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Entered at the start; left when the claim is ours, or for `Ending` when it can't be.
    Claiming,
    /// The work directory is being made; left when it is, or for `Ending`.
    Localizing,
    /// The script runs and its endpoint has not answered yet; left for `Ready` when it does, for `Stopping` when
    /// `until` passes, for `Ending` when the script ends.
    Starting { until: Instant },
    /// Registered; left for `Unready` on trouble, for `Draining` on demand, for `Ending` when the script ends.
    Ready,
    /// Un-registered because of trouble; back to `Ready` when the endpoint answers again.
    Unready,
    /// Un-registered because it shall end; left for `Stopping` at `until`, or when callers have been gone since `quiet`.
    Draining { until: Instant, unregistered: bool, quiet: Option<Instant> },
    /// SIGTERM was sent; left for `Killing` at `kill_at`, for `Ending` when the script ends.
    Stopping { kill_at: Instant },
    /// Everything is being killed; left when nothing lives.
    Ending,
    /// [`Effect::Finish`] was given out.
    Ended,
}

/// The state machine.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    policy: Policy,
    phase: Phase,
    /// Why the instance is not simply well, or why it ends.
    reason: Option<Reason>,
    /// How it ends, once that is decided: the first reason stays.
    end: Option<End>,
    /// What `endpoint.dat` names now.
    endpoint: Option<Published>,
    next_probe: Option<Instant>,
    probing: bool,
    retry: Duration,
    failures: u32,
    warmed: bool,
    ever_ready: bool,
    script_runs: bool,
    script_end: Option<ScriptEnd>,
}

impl Lifecycle {
    /// An instance that has not claimed anything yet.
    pub(crate) fn new(policy: Policy) -> Self {
        Lifecycle {
            policy,
            phase: Phase::Claiming,
            reason: None,
            end: None,
            endpoint: None,
            next_probe: None,
            probing: false,
            retry: FIRST_RETRY,
            failures: 0,
            warmed: false,
            ever_ready: false,
            script_runs: false,
            script_end: None,
        }
    }

    /// Puts in the settings, known only after the claim.
    pub(crate) fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// The state as others see it.
    pub(crate) fn state(&self) -> InstanceState {
        match self.phase {
            Phase::Claiming | Phase::Localizing => InstanceState::Localizing,
            Phase::Starting { .. } => InstanceState::Starting,
            Phase::Ready => InstanceState::Ready,
            Phase::Unready => InstanceState::Unready,
            Phase::Draining { .. } | Phase::Stopping { .. } | Phase::Ending => InstanceState::Draining,
            Phase::Ended => self.end.as_ref().map_or(InstanceState::Failed, |end| end.state),
        }
    }

    /// Why.
    pub(crate) fn reason(&self) -> Option<&Reason> {
        self.end.as_ref().map(|end| &end.reason).or(self.reason.as_ref())
    }

    /// The published url, while there is one.
    pub(crate) fn url(&self) -> Option<&str> {
        self.endpoint.as_ref().map(|endpoint| endpoint.url.as_str())
    }

    /// Whether it was ever registered.
    pub(crate) fn was_ready(&self) -> bool {
        self.ever_ready
    }

    /// How the script ended, once it has.
    pub(crate) fn script_end(&self) -> Option<ScriptEnd> {
        self.script_end
    }

    /// True while its endpoint is to be watched.
    pub(crate) fn follows_endpoint(&self) -> bool {
        matches!(self.phase, Phase::Starting { .. } | Phase::Ready | Phase::Unready)
    }

    /// The port whose connections are to be counted, while it drains.
    pub(crate) fn drains_port(&self) -> Option<u16> {
        match self.phase {
            Phase::Draining { unregistered: true, .. } => self.endpoint.as_ref().map(|endpoint| endpoint.port),
            _ => None,
        }
    }

    /// When [`Event::Tick`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Starting { until } | Phase::Draining { until, .. } => Some(until),
            Phase::Stopping { kill_at } => Some(kill_at),
            _ => None,
        };
        let probe = self.next_probe.filter(|_| self.follows_endpoint() && !self.probing);
        [phase, probe].into_iter().flatten().min()
    }

    /// Takes in what happened and says what is to be done, in order.
    #[must_use]
    pub(crate) fn on(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        let before = (self.state(), self.reason().cloned(), self.url().map(str::to_string));
        let mut effects = Vec::new();
        self.step(event, now, &mut effects);
        let after = (self.state(), self.reason().cloned(), self.url().map(str::to_string));
        if before != after && !matches!(self.phase, Phase::Claiming | Phase::Ended) {
            effects.push(Effect::Report);
        }
        effects
    }

    fn step(&mut self, event: Event, now: Instant, effects: &mut Vec<Effect>) {
        match event {
            Event::Claimed if self.phase == Phase::Claiming => {
                self.phase = Phase::Localizing;
                effects.push(Effect::Report);
                effects.push(Effect::Localize);
            }
            Event::Localized if self.phase == Phase::Localizing => effects.push(Effect::StartScript),
            Event::NotLocalized(reason) | Event::ScriptNotStarted(reason) => {
                self.finish_when_empty(End::failed(reason), effects);
            }
            Event::ScriptStarted if self.phase == Phase::Localizing => {
                self.script_runs = true;
                self.phase = Phase::Starting { until: now + self.policy.start_timeout };
            }
            // It was to end before it had begun; the guard's word comes late.
            Event::ScriptStarted => self.script_runs = true,
            Event::ScriptEnded(how) => self.script_ended(how, effects),
            Event::GuardLost => {
                let reason = Reason::new(ReasonCode::Killed, "its guard process was killed");
                self.finish_when_empty(End::failed(reason), effects);
            }
            Event::OverMemory { used_mb, limit_mb } => {
                let reason = Reason::new(ReasonCode::OutOfMemory, format!("used {used_mb} MB of {limit_mb} MB"));
                // The kernel's kill is seen as the script's end first; this is the better reason.
                if self.end.as_ref().is_some_and(End::may_be_out_of_memory) {
                    self.end = None;
                }
                self.finish_when_empty(End::failed(reason), effects);
            }
            Event::StopWanted(reason) => self.stop(End::stopped(reason), now, effects),
            Event::RecordGone if !self.ever_ready => {
                let reason = Reason::new(ReasonCode::Removed, "its record is gone");
                self.stop(End::stopped(reason), now, effects);
            }
            Event::Terminated => {
                let reason = Reason::new(ReasonCode::Killed, "its runner was asked to end (SIGTERM)");
                self.stop(End::failed(reason), now, effects);
            }
            Event::Endpoint(conclusion) if self.follows_endpoint() => self.endpoint_changed(conclusion, now, effects),
            Event::Probed { url, outcome } => self.probed(&url, outcome, now, effects),
            Event::WarmedUp { url, outcome } => self.warmed_up(&url, outcome, now, effects),
            Event::Unregistered => {
                if let Phase::Draining { unregistered, .. } = &mut self.phase {
                    *unregistered = true;
                }
            }
            Event::Connections(count) => self.connections(count, now, effects),
            Event::NothingLeft if self.phase == Phase::Ending => {
                self.phase = Phase::Ended;
                effects.push(Effect::Finish);
            }
            Event::Tick => self.tick(now, effects),
            // What no longer, or not yet, concerns this phase.
            Event::Claimed | Event::Localized | Event::RecordGone | Event::Endpoint(_) | Event::NothingLeft => {}
        }
    }

    fn tick(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        match self.phase {
            Phase::Starting { until } if now >= until => {
                let reason = self.late();
                self.conclude(End::failed(reason), effects);
                self.terminate(now, effects);
            }
            Phase::Draining { until, .. } if now >= until => self.terminate(now, effects),
            Phase::Stopping { kill_at } if now >= kill_at => self.kill(effects),
            _ => {}
        }
        let due = self.follows_endpoint() && !self.probing && self.next_probe.is_some_and(|due| now >= due);
        if let Some(endpoint) = self.endpoint.clone().filter(|_| due) {
            self.probing = true;
            effects.push(Effect::Probe { endpoint, live: self.phase == Phase::Ready });
        }
    }

    /// Why an instance that has not become ready in time has not.
    fn late(&self) -> Reason {
        let seconds = self.policy.start_timeout.as_secs();
        match (&self.endpoint, &self.reason) {
            (None, None) => Reason::new(ReasonCode::NoEndpoint, format!("no endpoint.dat within {seconds} s")),
            (_, Some(reason)) => Reason::new(reason.code, format!("not ready within {seconds} s: {}", reason.text)),
            (Some(endpoint), None) => {
                let text = format!("{} did not answer within {seconds} s", endpoint.url);
                Reason::new(ReasonCode::ProbeFailed, text)
            }
        }
    }

    fn endpoint_changed(&mut self, conclusion: Conclusion, now: Instant, effects: &mut Vec<Effect>) {
        let was_ready = self.phase == Phase::Ready;
        let starting = matches!(self.phase, Phase::Starting { .. });
        self.endpoint = None;
        self.next_probe = None;
        self.failures = 0;
        self.retry = FIRST_RETRY;
        match conclusion {
            Conclusion::Published(published) => {
                if was_ready {
                    let text = format!("endpoint.dat now names {}", published.url);
                    self.reason = Some(Reason::new(ReasonCode::NoEndpoint, text));
                }
                self.endpoint = Some(published);
                self.next_probe = Some(now);
            }
            Conclusion::Absent => {
                self.reason = (!starting || self.reason.is_some())
                    .then(|| Reason::new(ReasonCode::NoEndpoint, "endpoint.dat was withdrawn"));
            }
            Conclusion::Bad(problem) if starting => {
                self.conclude(End::failed(Reason::new(ReasonCode::BadEndpoint, problem)), effects);
                self.terminate(now, effects);
                return;
            }
            Conclusion::Bad(problem) => self.reason = Some(Reason::new(ReasonCode::BadEndpoint, problem)),
        }
        if was_ready {
            self.phase = Phase::Unready;
            effects.push(Effect::Unregister);
        }
        self.tick(now, effects);
    }

    fn probed(&mut self, url: &str, outcome: Result<(), String>, now: Instant, effects: &mut Vec<Effect>) {
        self.probing = false;
        if !self.follows_endpoint() {
            return;
        }
        let Some(endpoint) = self.endpoint.clone().filter(|endpoint| endpoint.url == url) else {
            // Another endpoint was named meanwhile, and its own probe is due.
            return self.tick(now, effects);
        };
        match outcome {
            Ok(()) => {
                self.failures = 0;
                self.retry = FIRST_RETRY;
                if self.phase == Phase::Ready {
                    self.next_probe = Some(now + self.policy.live_every);
                } else if self.policy.warms_up && !self.warmed {
                    self.probing = true;
                    effects.push(Effect::WarmUp { endpoint });
                } else {
                    self.become_ready(endpoint, now, effects);
                }
            }
            Err(problem) => self.probe_failed(problem, now, effects),
        }
    }

    fn probe_failed(&mut self, problem: String, now: Instant, effects: &mut Vec<Effect>) {
        self.failures = self.failures.saturating_add(1);
        if self.phase == Phase::Ready {
            self.next_probe = Some(now + self.policy.live_every);
            if self.failures < self.policy.live_failures {
                return;
            }
            self.phase = Phase::Unready;
            effects.push(Effect::Unregister);
            self.retry = self.policy.ready_every;
        }
        self.reason = Some(Reason::new(ReasonCode::ProbeFailed, problem));
        self.next_probe = Some(now + self.retry);
        self.retry = (self.retry * 2).min(self.policy.ready_every);
    }

    fn warmed_up(&mut self, url: &str, outcome: Result<(), String>, now: Instant, effects: &mut Vec<Effect>) {
        self.probing = false;
        if !self.follows_endpoint() {
            return;
        }
        match (self.endpoint.clone().filter(|endpoint| endpoint.url == url), outcome) {
            (None, _) => self.tick(now, effects),
            (Some(endpoint), Ok(())) => {
                self.warmed = true;
                self.become_ready(endpoint, now, effects);
            }
            (Some(_), Err(problem)) => self.probe_failed(format!("warm-up call: {problem}"), now, effects),
        }
    }

    fn become_ready(&mut self, endpoint: Published, now: Instant, effects: &mut Vec<Effect>) {
        self.phase = Phase::Ready;
        self.reason = None;
        self.ever_ready = true;
        self.next_probe = Some(now + self.policy.live_every);
        effects.push(Effect::Register { endpoint });
    }

    fn script_ended(&mut self, how: ScriptEnd, effects: &mut Vec<Effect>) {
        self.script_end = Some(how);
        self.script_runs = false;
        self.finish_when_empty(End::of_script(how), effects);
    }

    /// An orderly end, as far as there is something to end.
    fn stop(&mut self, end: End, now: Instant, effects: &mut Vec<Effect>) {
        match self.phase {
            Phase::Claiming | Phase::Localizing => self.finish_when_empty(end, effects),
            Phase::Starting { .. } => {
                self.conclude(end, effects);
                self.terminate(now, effects);
            }
            Phase::Ready | Phase::Unready => {
                let drain =
                    if self.phase == Phase::Ready || self.ever_ready { self.policy.drain } else { Duration::ZERO };
                self.conclude(end, effects);
                self.phase = Phase::Draining { until: now + drain, unregistered: false, quiet: None };
                self.tick(now, effects);
            }
            Phase::Draining { .. } | Phase::Stopping { .. } | Phase::Ending | Phase::Ended => {}
        }
    }

    fn connections(&mut self, count: usize, now: Instant, effects: &mut Vec<Effect>) {
        if let Phase::Draining { unregistered: true, quiet, .. } = &mut self.phase {
            if count > 0 {
                *quiet = None;
            } else if now.saturating_duration_since(*quiet.get_or_insert(now)) >= QUIET {
                self.terminate(now, effects);
            }
        }
    }

    /// Notes how it ends, unless that is known, and takes it out of the registry.
    fn conclude(&mut self, end: End, effects: &mut Vec<Effect>) {
        self.end.get_or_insert(end);
        effects.push(Effect::Unregister);
    }

    fn terminate(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        self.phase = Phase::Stopping { kill_at: now + self.policy.stop };
        effects.push(Effect::Terminate);
    }

    fn kill(&mut self, effects: &mut Vec<Effect>) {
        self.phase = Phase::Ending;
        effects.push(Effect::Kill);
    }

    /// The end without ceremony: everything that lives is killed, then it is over.
    fn finish_when_empty(&mut self, end: End, effects: &mut Vec<Effect>) {
        if self.phase == Phase::Ended {
            return;
        }
        self.conclude(end, effects);
        self.kill(effects);
    }

    /// How it ended; a defect of ours when asked before.
    pub(crate) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }
}
