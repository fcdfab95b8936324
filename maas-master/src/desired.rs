//! What is wanted: the versions that requests asked for, each with the history its retries follow. Plain data.
//!
//! Filled from ZooKeeper by the observer and changed by intake; the planner only reads it.

use crate::clock::{Moment, Now};
use crate::policy::Policy;
use maas_client::model::ModelId;
use maas_client::reason::InstanceState;
use maas_client::state::{self, Ended, Spec, Status};
use maas_store::StorePath;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// All versions that are wanted, or were.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Desired {
    /// By model and version.
    pub versions: BTreeMap<ModelId, Arc<Version>>,
    /// Everything is to be stopped, whatever is wanted (the master is leaving and takes the models along).
    pub stop_all: bool,
}

impl Desired {
    /// Another version that is wanted and whose payload lies at this path, above or below it. Pure.
    pub fn user_of_payload(&self, but: &ModelId, path: &str) -> Option<&ModelId> {
        let others = self.versions.iter().filter(|(model, version)| *model != but && version.desired.count > 0);
        others.into_iter().find(|(_, version)| paths_overlap(&version.desired.path, path)).map(|(model, _)| model)
    }
}

/// True when two paths of the store are the same, or one lies in the other. What is no path holds no payload.
pub fn paths_overlap(left: &str, right: &str) -> bool {
    let (Ok(left), Ok(right)) = (left.parse::<StorePath>(), right.parse::<StorePath>()) else { return false };
    let within = |inner: &StorePath, outer: &StorePath| {
        inner.as_str().strip_prefix(outer.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    within(&left, &right) || within(&right, &left)
}

/// One wanted version.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// What requests asked for.
    pub desired: state::Desired,
    /// Data version of its node, for the next change.
    pub node_version: i32,
    /// Environment and secrets' paths; what is absent in ZooKeeper is empty.
    pub spec: Spec,
    /// Data version of the `spec` node; `None` when there is none.
    pub spec_version: Option<i32>,
    /// What its instances went through.
    pub history: History,
}

impl Version {
    /// Orders versions by the request that last changed them: first come, first placed.
    ///
    /// A request's id ends in the transaction that created it, in hex, which orders all requests of one tree.
    pub fn arrival(&self) -> (u64, jiff::Timestamp) {
        let transaction = self.desired.request.rsplit('-').next().and_then(|hex| u64::from_str_radix(hex, 16).ok());
        (transaction.unwrap_or(0), self.desired.published)
    }
}

/// What a version's instances went through; stands in its `status` node, so that it outlives a master.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Quick failures in a row.
    pub failures: u32,
    /// Instances that failed and had to be started in place of others, altogether.
    pub restarts: u64,
    /// The generation of the desired state that `failures` count for.
    pub generation: u64,
    /// Nothing is launched before this.
    pub retry_at: Option<Moment>,
    /// The delay that led to `retry_at`.
    pub backoff: Duration,
    /// When the last quick failure was seen.
    pub last_failure: Option<Moment>,
    /// Ended instances, newest last.
    pub ended: Vec<Ended>,
}

impl History {
    /// From what the last leader wrote.
    pub fn from_status(status: &Status, now: Moment, policy: &Policy) -> History {
        let looping = status.failures >= policy.crash_loop_failures;
        let left = Duration::from_millis(status.backoff_ms).min(policy.backoff_longest);
        History {
            failures: status.failures,
            restarts: status.restarts,
            generation: status.generation,
            retry_at: (!left.is_zero()).then(|| now.plus(left)),
            backoff: if looping { nominal_backoff(status.failures, policy) } else { Duration::ZERO },
            last_failure: (status.failures > 0).then_some(now),
            ended: status.ended.clone(),
        }
    }

    /// Failures of an older generation do not count: an ADD starts over.
    pub fn of_generation(mut self, generation: u64) -> History {
        if self.generation != generation {
            self.forgive();
            self.generation = generation;
        }
        self
    }

    /// Forgets the failures, keeps what ended.
    pub fn forgive(&mut self) {
        self.failures = 0;
        self.retry_at = None;
        self.backoff = Duration::ZERO;
        self.last_failure = None;
    }

    /// True once its failures are a crash loop.
    pub fn is_crash_loop(&self, policy: &Policy) -> bool {
        self.failures >= policy.crash_loop_failures
    }

    /// What is left of the delay.
    pub fn backoff_left(&self, now: Moment) -> Duration {
        self.retry_at.map_or(Duration::ZERO, |at| at.since(now))
    }

    /// The history once `ended` is added to it. `quick` says whether it counts as a quick failure. Pure.
    ///
    /// Failures that come while a delay runs (several instances that were started together) are counted and do not
    /// lengthen it.
    #[must_use]
    pub fn with_ended(&self, ended: Ended, quick: bool, now: &Now, policy: &Policy) -> History {
        let mut after = self.clone();
        if ended.state == InstanceState::Failed {
            after.restarts = after.restarts.saturating_add(1);
        }
        after.ended.push(ended);
        let surplus = after.ended.len().saturating_sub(policy.keep_ended);
        after.ended.drain(..surplus);
        if !quick {
            return after;
        }
        after.failures = after.failures.saturating_add(1);
        after.last_failure = Some(now.at);
        let waits_already = after.retry_at.is_some_and(|at| at > now.at);
        if after.is_crash_loop(policy) && !waits_already {
            let doubled = after.backoff.saturating_mul(2).clamp(policy.backoff_first, policy.backoff_longest);
            after.backoff = doubled;
            after.retry_at = Some(now.at.plus(doubled.mul_f64(0.8 + 0.4 * now.jitter.clamp(0.0, 1.0))));
        }
        after
    }
}

/// The delay without jitter after this many failures.
fn nominal_backoff(failures: u32, policy: &Policy) -> Duration {
    let doublings = failures.saturating_sub(policy.crash_loop_failures).min(20);
    policy.backoff_first.saturating_mul(1 << doublings).min(policy.backoff_longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use jiff::Timestamp;
    use maas_client::reason::{Reason, ReasonCode, VersionState};
    use proptest::prelude::*;

    fn at(seconds: u64) -> Moment {
        Moment::after_origin(Duration::from_secs(seconds))
    }

    fn now(seconds: u64) -> Now {
        Now { at: at(seconds), time: fixture::time(), jitter: 0.5 }
    }

    fn ended(state: InstanceState) -> Ended {
        let reason = Some(Reason::new(ReasonCode::ScriptExited, "script ended with exit code 3"));
        let time: Timestamp = fixture::time();
        Ended { id: "3-1-aaaa".into(), state, reason, host: "a".into(), exit_code: None, started: time, ended: time }
    }

    fn status(failures: u32, backoff_ms: u64) -> Status {
        Status {
            state: VersionState::Failed,
            reason: None,
            ready: 0,
            desired: 1,
            failures,
            restarts: 9,
            backoff_ms,
            generation: 4,
            ended: vec![ended(InstanceState::Failed)],
            events: vec![],
        }
    }

    /// A history after quick failures at these seconds.
    fn failed_at(seconds: &[u64]) -> History {
        let policy = Policy::default();
        seconds.iter().fold(History::default(), |history, second| {
            history.with_ended(ended(InstanceState::Failed), true, &now(*second), &policy)
        })
    }

    #[test]
    fn two_quick_failures_delay_nothing_and_the_third_does() {
        let history = failed_at(&[1, 2]);
        assert_eq!((history.failures, history.retry_at, history.restarts), (2, None, 2));
        let history = failed_at(&[1, 2, 3]);
        assert!(history.is_crash_loop(&Policy::default()));
        assert_eq!(history.retry_at, Some(at(4)));
        assert_eq!(history.backoff_left(at(3)), Duration::from_secs(1));
        assert_eq!(history.backoff_left(at(60)), Duration::ZERO);
    }

    #[test]
    fn the_delay_doubles_up_to_five_minutes() {
        let mut seconds = vec![1, 2];
        let mut delays = Vec::new();
        for round in 1..=11 {
            seconds.push(round * 1_000);
            delays.push(failed_at(&seconds).backoff_left(at(round * 1_000)).as_secs());
        }
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }

    #[test]
    fn failures_of_instances_started_together_lengthen_the_delay_once() {
        let history = failed_at(&[10, 10, 10, 10, 10, 10]);
        assert_eq!((history.failures, history.backoff), (6, Duration::from_secs(1)));
    }

    #[test]
    fn jitter_stretches_or_shortens_a_delay_by_a_fifth() {
        for (jitter, millis) in [(0.0, 800), (1.0, 1_200), (7.0, 1_200)] {
            let third = Now { jitter, ..now(3) };
            let history = failed_at(&[1, 2]).with_ended(ended(InstanceState::Failed), true, &third, &Policy::default());
            assert_eq!(history.backoff_left(at(3)), Duration::from_millis(millis));
        }
    }

    #[test]
    fn what_stopped_or_lived_long_is_kept_and_delays_nothing() {
        let policy = Policy::default();
        let stopped = History::default().with_ended(ended(InstanceState::Stopped), false, &now(1), &policy);
        assert_eq!((stopped.failures, stopped.restarts, stopped.ended.len()), (0, 0, 1));
        let failed = History::default().with_ended(ended(InstanceState::Failed), false, &now(1), &policy);
        assert_eq!((failed.failures, failed.restarts, failed.last_failure), (0, 1, None));
    }

    #[test]
    fn only_the_newest_ended_instances_are_kept() {
        let policy = Policy::default();
        let mut history = History::default();
        for number in 0..50 {
            let one = Ended { id: format!("3-{number}-aaaa"), ..ended(InstanceState::Stopped) };
            history = history.with_ended(one, false, &now(number), &policy);
        }
        assert_eq!(history.ended.len(), policy.keep_ended);
        assert_eq!(history.ended.last().unwrap().id, "3-49-aaaa");
    }

    #[test]
    fn a_crash_loop_outlives_a_master() {
        let policy = Policy::default();
        let history = History::from_status(&status(5, 2_500), at(7), &policy);
        assert_eq!((history.failures, history.restarts, history.generation), (5, 9, 4));
        assert_eq!(history.backoff_left(at(7)), Duration::from_millis(2_500));
        assert_eq!((history.last_failure, history.ended.len()), (Some(at(7)), 1));
        let next = history.with_ended(ended(InstanceState::Failed), true, &now(20), &policy);
        assert_eq!(next.backoff_left(at(20)), Duration::from_secs(8), "it doubles on from where it was");
        let calm = History::from_status(&status(0, 0), at(7), &policy);
        assert_eq!((calm.retry_at, calm.last_failure, calm.backoff), (None, None, Duration::ZERO));
    }

    #[test]
    fn an_absurd_backoff_of_an_old_status_is_bounded() {
        let policy = Policy::default();
        let history = History::from_status(&status(u32::MAX, u64::MAX), at(0), &policy);
        assert_eq!(history.backoff_left(at(0)), policy.backoff_longest);
        assert_eq!(history.with_ended(ended(InstanceState::Failed), true, &now(1), &policy).failures, u32::MAX);
    }

    #[test]
    fn another_generation_starts_over_and_the_same_does_not() {
        let history = failed_at(&[1, 2, 3]);
        assert_eq!(history.clone().of_generation(history.generation), history);
        let over = history.of_generation(8);
        assert_eq!((over.failures, over.retry_at, over.generation, over.ended.len()), (0, None, 8, 3));
        assert_eq!(over.restarts, 3, "what happened stays told");
    }

    #[test]
    fn versions_come_in_the_order_of_their_requests() {
        let of = |request: &str| {
            let mut version = (*fixture::version(1, vec![])).clone();
            version.desired.request = request.to_string();
            version.arrival()
        };
        assert!(of("qn-0000000009-a") < of("qn-0000000001-10"), "a queue that was made again begins at 0");
        assert!(of("something else") < of("qn-0000000001-1"));
    }

    proptest! {
        #[test]
        fn a_delay_is_never_outside_its_limits(jitter in 0.0..1.0f64, seconds in prop::collection::vec(0u64..900, 0..40)) {
            let policy = Policy::default();
            let (mut history, mut second) = (History::default(), 0);
            for step in seconds {
                second += step;
                history = history.with_ended(ended(InstanceState::Failed), true, &Now { jitter, ..now(second) }, &policy);
                prop_assert!(history.backoff <= policy.backoff_longest);
                prop_assert!(history.backoff_left(at(second)) <= policy.backoff_longest.mul_f64(1.2));
                prop_assert_eq!(history.is_crash_loop(&policy), history.retry_at.is_some());
            }
        }
    }
}
