//! Whether and when a call is tried again: the policy as data, delays as an iterator, and the budget. Pure.
//!
//! [`crate::call`] says how a try failed and does what it is told. Which endpoint comes next is [`crate::balance`]'s.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Knobs of trying again.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Tries that may have reached a model, the first one included. Default 3. Refused connections do not count: each
    /// endpoint can refuse a call once only.
    pub tries: u32,
    /// Tries again that one call earns. Default 0.2: in the long run at most every fifth call is sent twice.
    pub budget_ratio: f64,
    /// Tries again that may be saved up, for the moment when an instance with many calls in flight dies. Default 200.
    pub budget_most: u32,
    /// First pause once every endpoint was tried; doubles. Default 25 ms.
    pub pause_first: Duration,
    /// The number of such pauses. Default 4.
    pub pauses: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Policy { tries: 3, budget_ratio: 0.2, budget_most: 200, pause_first: Duration::from_millis(25), pauses: 4 }
    }
}

impl Policy {
    /// The pauses between rounds over all endpoints.
    pub fn delays(&self) -> impl Iterator<Item = Duration> + use<> {
        let first = self.pause_first;
        (0..self.pauses).map(move |index| first.saturating_mul(1 << index.min(16)))
    }
}

/// How a try failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No connection: no byte was sent.
    NotSent,
    /// The connection closed before any byte of an answer.
    Closed,
    /// No answer in the time of one try.
    TimedOut,
    /// The connection was lost within the answer.
    Broken,
    /// This status, 300 or above.
    Status(u16),
    /// An answer that is none: not HTTP, no JSON object, too large.
    BadAnswer,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// The failure is the call's.
    GiveUp,
    /// Once more; the same endpoint may be picked again.
    Again,
    /// Once more, on an endpoint that was not tried yet.
    Elsewhere,
}

/// How often one call was tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tries {
    /// Tries that may have reached a model and failed.
    counted: u32,
    /// Whether the one free try after a closed connection is used up.
    free_used: bool,
}

impl Tries {
    /// Whether a try that is not answered in its time may be followed by another: then it should leave time for that.
    pub fn may_follow(&self, idempotent: bool, policy: &Policy) -> bool {
        idempotent && self.counted + 1 < policy.tries
    }

    /// Decides after a failure. `idempotent`: the call may be sent again after it may have been received.
    pub fn after(&mut self, failure: Failure, idempotent: bool, policy: &Policy, budget: &Budget) -> Next {
        let worth_it = match failure {
            Failure::NotSent => return Next::Elsewhere,
            Failure::Closed if idempotent && !self.free_used => {
                // A pooled connection that the server closed while we were sending says nothing about the server.
                self.free_used = true;
                return Next::Again;
            }
            Failure::Closed | Failure::TimedOut | Failure::Broken => true,
            Failure::Status(status) => status >= 500 || status == 429,
            Failure::BadAnswer => false,
        };
        self.counted += 1;
        if worth_it && idempotent && self.counted < policy.tries && budget.take() {
            Next::Elsewhere
        } else {
            Next::GiveUp
        }
    }
}

/// What all calls of a caller may spend on tries again, so that a cluster in trouble is not sent more, but less.
#[derive(Debug)]
pub struct Budget {
    /// In thousandths of a try.
    saved: AtomicI64,
    earned: i64,
    most: i64,
}

impl Budget {
    /// A full one.
    pub fn new(policy: &Policy) -> Budget {
        let most = i64::from(policy.budget_most) * 1000;
        // Truncation is what is wanted: a ratio is clamped to 0–1.
        let earned = (policy.budget_ratio.clamp(0.0, 1.0) * 1000.0) as i64;
        Budget { saved: AtomicI64::new(most), earned, most }
    }

    /// A call was made.
    pub fn earn(&self) {
        // A full budget, the usual case, is only read.
        if self.saved.load(Ordering::Relaxed) < self.most {
            self.saved.fetch_add(self.earned, Ordering::Relaxed);
        }
    }

    /// Takes one try; false when none is left.
    pub fn take(&self) -> bool {
        self.saved
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |saved| (saved >= 1000).then(|| saved - 1000))
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(failures: &[Failure], idempotent: bool) -> Vec<Next> {
        let policy = Policy::default();
        let budget = Budget::new(&policy);
        let mut tries = Tries::default();
        failures.iter().map(|failure| tries.after(*failure, idempotent, &policy, &budget)).collect()
    }

    #[test]
    fn a_refused_connection_never_counts() {
        assert_eq!(run(&[Failure::NotSent; 9], false), [Next::Elsewhere; 9]);
    }

    #[test]
    fn three_tries_that_may_have_been_received_are_all() {
        use Failure::{Broken, Closed, TimedOut};
        assert_eq!(run(&[TimedOut, Broken, TimedOut], true), [Next::Elsewhere, Next::Elsewhere, Next::GiveUp]);
        assert_eq!(run(&[Closed, Closed, Closed], true), [Next::Again, Next::Elsewhere, Next::Elsewhere]);
    }

    #[test]
    fn the_last_try_leaves_no_time_for_another() {
        let policy = Policy { tries: 2, ..Policy::default() };
        let mut tries = Tries::default();
        assert!(tries.may_follow(true, &policy));
        assert!(!tries.may_follow(false, &policy));
        assert_eq!(tries.after(Failure::TimedOut, true, &policy, &Budget::new(&policy)), Next::Elsewhere);
        assert!(!tries.may_follow(true, &policy));
    }

    #[test]
    fn what_is_not_idempotent_is_sent_once() {
        use Failure::{Broken, Closed, Status, TimedOut};
        for failure in [Broken, Closed, TimedOut, Status(503)] {
            assert_eq!(run(&[failure], false), [Next::GiveUp], "{failure:?}");
        }
    }

    #[test]
    fn what_the_model_says_of_the_arguments_is_final() {
        for failure in [Failure::Status(400), Failure::Status(404), Failure::BadAnswer] {
            assert_eq!(run(&[failure], true), [Next::GiveUp], "{failure:?}");
        }
        assert_eq!(run(&[Failure::Status(503)], true), [Next::Elsewhere]);
    }

    #[test]
    fn the_budget_bounds_all_calls_together() {
        let policy = Policy { budget_most: 3, ..Policy::default() };
        let budget = Budget::new(&policy);
        assert_eq!((0..10).filter(|_| budget.take()).count(), 3);
        (0..10).for_each(|_| budget.earn());
        assert_eq!((0..10).filter(|_| budget.take()).count(), 2);
        (0..1000).for_each(|_| budget.earn());
        assert_eq!((0..10).filter(|_| budget.take()).count(), 3);
    }

    #[test]
    fn pauses_double() {
        let pauses: Vec<u128> = Policy::default().delays().map(|delay| delay.as_millis()).collect();
        assert_eq!(pauses, [25, 50, 100, 200]);
    }
}
