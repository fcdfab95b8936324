//! What is wanted: the versions that requests asked for, each with the history its retries follow. Plain data.
//!
//! Filled from ZooKeeper by the observer and changed by intake; the planner only reads it.

use crate::clock::{Moment, Now};
use crate::policy::Policy;
use maas_client::model::ModelId;
use maas_client::reason::InstanceState;
use maas_client::state::{self, Ended, Spec, Status};
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
