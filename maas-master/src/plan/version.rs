//! The steps of one version: what becomes of each instance, what is too many, what is missing. Pure.

use super::place::{Queue, Room};
use super::{Case, Effect, Plan, Step, Verdict};
use crate::clock::{Moment, Now};
use crate::desired::{Desired, Version};
use crate::observed::{Instance, Observed, Payload, Process, Purge};
use crate::policy::Policy;
use maas_client::api::PlanVerdict;
use maas_client::model::ModelId;
use maas_client::reason::{InstanceState, Reason, ReasonCode, VersionState, plural};
use maas_client::standing;
use maas_client::state::{Ended, Wanted};
use std::cmp::Reverse;
use std::time::Duration;

/// What all versions of one plan share.
pub(super) struct Pass<'p, 'o> {
    pub(super) desired: &'p Desired,
    pub(super) observed: &'o Observed,
    pub(super) policy: &'p Policy,
    pub(super) now: &'p Now,
    pub(super) room: &'p mut Room<'o>,
    pub(super) waiting: &'p mut Queue,
}

/// What there is of a version.
#[derive(Clone, Copy)]
struct Counted {
    ready: u32,
    unready: u32,
    /// Whether some have a record and were never started.
    unstarted: bool,
    /// Whether nothing ended in this pass.
    settled: bool,
}

/// What is missing of a version, and why it does not simply start.
struct Missing {
    count: u32,
    reason: Option<Reason>,
    fits: PlanVerdict,
}

impl Pass<'_, '_> {
    pub(super) fn decide<'c>(&mut self, case: &Case<'c>, plan: &mut Plan) -> Verdict {
        let mut settled = true;
        let mut counted: Vec<&'c Instance> = Vec::with_capacity(case.instances.len());
        for instance in &case.instances {
            match self.instance_effect(instance, plan) {
                Some((effect, reason)) => {
                    // Where something ended in this very pass, the next one sees its consequences.
                    settled &= !matches!(effect, Effect::Bury { .. });
                    push(plan, case.model, effect, reason);
                }
                None if instance.is_counted() => counted.push(instance),
                None => {}
            }
        }
        let wanted = match case.version {
            Some(version) if !self.desired.stop_all => version.desired.count,
            _ => 0,
        };
        self.stop_surplus(case, &mut counted, wanted, plan);
        self.start_again(case, &counted, plan);
        place_granted(case.model, &counted, plan);
        let ready = counted.iter().filter(|instance| instance.is_ready()).count() as u32;
        let Some(version) = case.version else {
            return Verdict { state: VersionState::Stopping, reason: None, ready, missing: 0, fits: PlanVerdict::Now };
        };
        let unready = counted.len() as u32 - ready;
        let recorded_only = |instance: &&Instance| instance.process == Process::Absent && instance.claim.is_none();
        let unstarted = counted.iter().any(recorded_only);
        let mut missing = self.fill(case.model, version, wanted, Counted { ready, unready, unstarted, settled }, plan);
        self.note_waiting(case.model, &counted, &mut missing);
        self.upkeep(case, version, ready, plan);
        self.verdict(version, &counted, wanted, ready, missing)
    }

    /// What is to be done with one instance by itself; `None` when nothing is.
    fn instance_effect(&self, instance: &Instance, plan: &mut Plan) -> Option<(Effect, String)> {
        let id = || instance.id.clone();
        let wants_run = instance.record.wanted == Wanted::Run;
        match &instance.process {
            Process::Dead { .. } => Some(self.bury(instance)),
            Process::Absent | Process::Waiting { .. } | Process::Granted { .. }
                if !wants_run && instance.claim.is_none() =>
            {
                Some(self.bury(instance))
            }
            Process::Waiting { .. } | Process::Granted { .. } => None,
            Process::Absent | Process::Alive { .. } | Process::Unknown if wants_run => {
                let since = instance.unclaimed_since?;
                let (limit, why) = if instance.was_claimed || instance.process == Process::Unknown {
                    (self.policy.unready_grace, "its runner is out of sight")
                } else {
                    (self.policy.claim_deadline, "its runner did not claim it")
                };
                if self.now.at.since(since) >= limit {
                    let text = format!("{why} for {} s; another takes its place", limit.as_secs());
                    let why = Reason::new(ReasonCode::Replaced, text.clone());
                    return Some((Effect::Stop { id: id(), why }, text));
                }
                wake(plan, since.plus(limit));
                None
            }
            Process::Alive { .. } | Process::Absent => {
                let since = instance.stopping_since?;
                let bound = Duration::from_secs(instance.record.stop_bound_s).saturating_add(self.policy.stop_margin);
                let next = instance.killed_at.map_or(since.plus(bound), |at| at.plus(self.policy.kill_again));
                if self.now.at < next {
                    wake(plan, next);
                    return None;
                }
                let reason = format!("did not stop within {} s", bound.as_secs());
                Some((Effect::Kill { id: id() }, reason))
            }
            Process::Unknown => None,
        }
    }

    /// The step that removes the record of an instance that is no more, and what its version's history gets.
    fn bury(&self, instance: &Instance) -> (Effect, String) {
        let (state, reason) = match &instance.process {
            Process::Dead { .. } => instance.state(),
            _ => (InstanceState::Stopped, instance.record.reason.clone()),
        };
        let exit = match &instance.process {
            Process::Dead { exit } => exit.as_ref(),
            _ => None,
        };
        let unexpected = instance.record.wanted == Wanted::Run;
        // Of one that was told to stop, its own word counts; one that is silent did as it was told.
        let state = if unexpected { InstanceState::Failed } else { terminal(state) };
        let ended = Ended {
            id: instance.id.clone(),
            state,
            reason: reason.clone(),
            host: instance.record.host.clone(),
            exit_code: exit.and_then(|exit| exit.exit_code),
            started: exit.and_then(|exit| exit.started).unwrap_or(instance.record.created),
            ended: exit.map_or(self.now.time, |exit| exit.ended),
        };
        let ran = match exit {
            Some(exit) => Duration::from_millis(exit.ran_ms),
            None => {
                let by_wall = self.now.time.duration_since(instance.record.created);
                let seen = self.now.at.since(instance.seen);
                seen.max(Duration::try_from(by_wall).unwrap_or(seen))
            }
        };
        let code = reason.as_ref().map(|reason| reason.code);
        let of_its_own = !matches!(code, Some(ReasonCode::Preempted | ReasonCode::NodeLost | ReasonCode::Replaced));
        let quick = unexpected && of_its_own && ran < self.policy.quick_failure;
        let text = reason.map_or_else(|| "it has ended".to_string(), |reason| format!("it has ended: {}", reason.text));
        (Effect::Bury { id: instance.id.clone(), ended: Box::new(ended), quick }, text)
    }

    /// Takes waiting ones first, then unready, then the youngest.
    fn stop_surplus<'c>(&self, case: &Case<'c>, counted: &mut Vec<&'c Instance>, wanted: u32, plan: &mut Plan) {
        let surplus = counted.len().saturating_sub(wanted as usize);
        if surplus == 0 {
            return;
        }
        counted.sort_by_cached_key(|instance| {
            let instance: &'c Instance = instance;
            (victim_rank(instance.state().0), Reverse(instance.birth()), Reverse(instance.id.as_str()))
        });
        let why = match case.version {
            Some(_) if self.desired.stop_all => "the master is stopped with its models".to_string(),
            Some(version) => format!("{} wanted by request {}", version.desired.count, version.desired.request),
            None => "its version is not wanted any more".to_string(),
        };
        for instance in counted.drain(..surplus) {
            let effect = Effect::Stop { id: instance.id.clone(), why: Reason::new(ReasonCode::Removed, why.clone()) };
            push(plan, case.model, effect, why.clone());
        }
    }

    /// What is recorded and was never handed over, because a master died in between, is handed over now.
    fn start_again(&self, case: &Case<'_>, counted: &[&Instance], plan: &mut Plan) {
        let Some(Payload::Present { digest, .. }) = self.observed.payloads.get(case.model) else { return };
        for instance in counted {
            let is_recorded_only = instance.process == Process::Absent && instance.claim.is_none();
            if is_recorded_only && case.version.is_some() && instance.record.digest == *digest {
                let effect = Effect::Start { id: instance.id.clone() };
                push(plan, case.model, effect, "recorded and not started yet".to_string());
            }
        }
    }

    /// What waits for a place that the launcher has to find: it is told together, each reason once.
    fn note_waiting(&mut self, model: &ModelId, counted: &[&Instance], missing: &mut Missing) {
        let mut waiting: Vec<(u32, &Reason)> = Vec::new();
        for instance in counted {
            let Process::Waiting { reason } = &instance.process else { continue };
            missing.count += 1;
            let Some(reason) = reason else { continue };
            match waiting.iter_mut().find(|(_, known)| known.code == reason.code) {
                Some((count, _)) => *count += 1,
                None => waiting.push((1, reason)),
            }
        }
        for (count, reason) in waiting {
            self.waiting.push(model, count, reason.clone());
            missing.fits = match reason.code {
                ReasonCode::NeverFits => PlanVerdict::Never,
                _ if missing.fits == PlanVerdict::Never => PlanVerdict::Never,
                _ => PlanVerdict::Waits,
            };
            missing.reason.get_or_insert_with(|| reason.clone());
        }
    }

    /// Launches what is missing, as far as payload, backoff and room allow.
    fn fill(&mut self, model: &ModelId, version: &Version, wanted: u32, counted: Counted, plan: &mut Plan) -> Missing {
        let Counted { ready, unready, unstarted, settled } = counted;
        let count = wanted.saturating_sub(ready + unready);
        let none = |fits| Missing { count, reason: None, fits };
        let needs = &version.desired.resources;
        // Said before anything is fetched, so that a caller that waits hears it at once.
        if count > 0
            && let Some(text) = self.room.never(needs)
        {
            let reason = Reason::new(ReasonCode::NeverFits, text);
            self.waiting.push(model, count, reason.clone());
            return Missing { count, reason: Some(reason), fits: PlanVerdict::Never };
        }
        let importing = version.desired.digest.is_none() && wanted > 0;
        // What a former leader recorded and did not start needs its payload here too.
        if count == 0 && !importing && !unstarted {
            return none(PlanVerdict::Now);
        }
        let launchable = match self.observed.payloads.get(model) {
            None => {
                push(plan, model, Effect::Fetch, fetch_reason(version));
                Err(payload_reason(version))
            }
            Some(Payload::Busy { .. }) => Err(payload_reason(version)),
            Some(Payload::Failed { reason, retry_at }) => {
                if *retry_at <= self.now.at {
                    push(plan, model, Effect::Fetch, format!("again, after: {}", reason.text));
                } else {
                    wake(plan, *retry_at);
                }
                Err(reason.clone())
            }
            Some(Payload::Present { digest, call, .. }) => {
                if version.desired.digest.as_ref() != Some(digest) || version.desired.call != *call {
                    push(plan, model, Effect::RecordPayload, "its payload says how it is called".to_string());
                    Err(payload_reason(version))
                } else {
                    Ok(())
                }
            }
        };
        if let Err(reason) = launchable {
            return Missing { count, reason: Some(reason), fits: PlanVerdict::Waits };
        }
        if let Some(retry_at) = version.history.retry_at.filter(|at| *at > self.now.at) {
            wake(plan, retry_at);
            return none(PlanVerdict::Waits);
        }
        if !settled {
            return none(PlanVerdict::Now);
        }
        // In a crash loop one probes for all.
        let allowed = if version.history.is_crash_loop(self.policy) && ready == 0 {
            count.min(1u32.saturating_sub(unready))
        } else {
            count
        };
        for launched in 0..allowed {
            let Some(host) = self.room.take(needs) else {
                let reason = Reason::new(ReasonCode::WaitingCapacity, self.room.why_not(needs, self.waiting.ahead()));
                self.waiting.push(model, allowed - launched, reason.clone());
                return Missing { count, reason: Some(reason), fits: PlanVerdict::Waits };
            };
            let text = format!("{} of {wanted} there", ready + unready + launched);
            push(plan, model, Effect::Launch { host: host.to_string() }, text);
        }
        none(PlanVerdict::Now)
    }

    /// What has nothing to do with numbers: forgiving a crash loop, taking a removed payload away.
    fn upkeep(&self, case: &Case<'_>, version: &Version, ready: u32, plan: &mut Plan) {
        let history = &version.history;
        if let Some(last) = history.last_failure.filter(|_| history.failures > 0 && ready > 0) {
            if self.now.at.since(last) >= self.policy.good_time {
                let text = format!("{} s without a quick failure", self.policy.good_time.as_secs());
                push(plan, case.model, Effect::Forgive, text);
            } else {
                wake(plan, last.plus(self.policy.good_time));
            }
        }
        if version.desired.purge && version.desired.count == 0 && !self.desired.stop_all {
            self.purge(case, version, plan);
        }
    }

    /// Takes the payload away once nothing of it runs that this master can reach, then records that.
    fn purge(&self, case: &Case<'_>, version: &Version, plan: &mut Plan) {
        if !case.instances.iter().all(|instance| instance.is_beyond_reach(self.policy, self.now.at)) {
            return;
        }
        let mut why = "nothing of it runs or is wanted".to_string();
        if !case.instances.is_empty() {
            why.push_str(&format!("; {} of hosts out of reach left", plural(case.instances.len() as u64, "record")));
        }
        let (effect, why) = match self.observed.purges.get(case.model) {
            Some(Purge::Busy) => return,
            Some(Purge::Done { kept }) => (Effect::RecordPurge { kept: kept.clone() }, "its purge is over".to_string()),
            Some(Purge::Failed { retry_at, .. }) if *retry_at > self.now.at => return wake(plan, *retry_at),
            Some(Purge::Failed { reason, .. }) => (Effect::Purge, format!("again, after: {}", reason.text)),
            None => match self.desired.user_of_payload(case.model, &version.desired.path) {
                Some(user) => {
                    let kept = format!("{user} has its payload there");
                    (Effect::RecordPurge { kept: Some(kept.clone()) }, kept)
                }
                None => (Effect::Purge, why),
            },
        };
        push(plan, case.model, effect, why);
    }

    fn verdict(&self, version: &Version, counted: &[&Instance], wanted: u32, ready: u32, missing: Missing) -> Verdict {
        let looping = version.history.is_crash_loop(self.policy);
        let state = standing::of_version(wanted, ready, looping);
        let short = ready < wanted;
        let of_instances =
            || counted.iter().filter(|instance| !instance.is_ready()).find_map(|instance| instance.state().1);
        let of_last =
            || version.history.ended.last().filter(|ended| ended.state == InstanceState::Failed)?.reason.clone();
        let reason = if !short {
            None
        } else if looping {
            Some(self.crash_loop_reason(version, of_last()))
        } else {
            missing.reason.or_else(of_instances).or_else(of_last)
        };
        Verdict { state, reason, ready, missing: missing.count, fits: missing.fits }
    }

    fn crash_loop_reason(&self, version: &Version, last: Option<Reason>) -> Reason {
        let history = &version.history;
        let mut text = format!(
            "failed {} times, each within {} s of its start",
            history.failures,
            self.policy.quick_failure.as_secs()
        );
        if let Some(last) = last {
            text.push_str(&format!("; last: {}", last.text));
        }
        Reason::new(ReasonCode::CrashLoop, text)
    }
}

/// What was granted a place has it recorded, and is then started there.
fn place_granted(model: &ModelId, counted: &[&Instance], plan: &mut Plan) {
    for instance in counted {
        if let Process::Granted { container, .. } = &instance.process {
            let effect = Effect::Place { id: instance.id.clone() };
            push(plan, model, effect, format!("{container} was granted for it"));
        }
    }
}

fn push(plan: &mut Plan, model: &ModelId, effect: Effect, reason: String) {
    plan.steps.push(Step { model: model.clone(), effect, reason });
}

fn wake(plan: &mut Plan, at: Moment) {
    plan.wake_at = Some(plan.wake_at.map_or(at, |earlier| earlier.min(at)));
}

fn terminal(state: InstanceState) -> InstanceState {
    if state.is_ended() { state } else { InstanceState::Stopped }
}

/// Waiting ones go first, then those that do not answer, then the rest.
fn victim_rank(state: InstanceState) -> u8 {
    match state {
        InstanceState::Requested | InstanceState::Allocated => 0,
        InstanceState::Localizing | InstanceState::Starting => 1,
        InstanceState::Unready => 2,
        InstanceState::Ready => 3,
        InstanceState::Draining | InstanceState::Stopped | InstanceState::Failed => 1,
    }
}

fn fetch_reason(version: &Version) -> String {
    match &version.desired.digest {
        None => format!("{} has no manifest yet", version.desired.path),
        Some(digest) => format!("{digest} is not here yet"),
    }
}

fn payload_reason(version: &Version) -> Reason {
    let text = match &version.desired.digest {
        None => format!("importing {}", version.desired.path),
        Some(_) => format!("fetching {}", version.desired.path),
    };
    Reason::new(ReasonCode::Importing, text)
}
