//! What follows a failure: nothing, the same server after a pause, or the next one. Pure.
//!
//! A standby ResourceManager does not listen on its service ports at all, so failing over is mostly seen as a refused connection;
//! `StandbyException` comes only around a transition.

use std::time::Duration;

use super::error::Error;
use super::exception::ExceptionKind;

/// How long and how often a call is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The first pause between two tries; each further one is twice as long (`yarn.client.failover-sleep-base-ms` where there are several
    /// ResourceManagers): 100 ms, sooner than Hadoop's own clients. Before it every server is tried once.
    pub first_pause: Duration,
    /// The longest pause between two tries (`yarn.client.failover-sleep-max-ms` where there are several ResourceManagers and it is set, else
    /// `yarn.resourcemanager.connect.retry-interval.ms`): 30 s.
    pub max_pause: Duration,
    /// For how long after the first try a call is tried again (`yarn.resourcemanager.connect.max-wait.ms`, where -1 means for ever): 15 min.
    pub max_wait: Duration,
    /// How often a call is tried again, on whichever server, each time with its `retries` (`yarn.client.failover-max-attempts`, where there are
    /// several ResourceManagers). `None` for as often as the time allows.
    pub max_failovers: Option<u32>,
    /// How often a server that can't be reached is tried again before another one is (`yarn.client.failover-retries`): 0.
    pub retries: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(100),
            max_pause: Duration::from_secs(30),
            max_wait: Duration::from_secs(900),
            max_failovers: None,
            retries: 0,
        }
    }
}

impl RetryPolicy {
    /// No second try.
    pub fn never() -> Self {
        Self { max_pause: Duration::ZERO, max_wait: Duration::ZERO, ..Self::default() }
    }
}

/// The tries of a call that have failed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    /// All of them.
    pub(crate) failures: u32,
    /// How often a server has had all the tries that it gets.
    pub(crate) failovers: u32,
    /// Those at the server in use since then; 0 when it has had all.
    pub(crate) here: u32,
}

impl Count {
    /// Counts one more. A server that is down may be given several tries; one that answers gets no other for its answer.
    pub(crate) fn add(&mut self, policy: &RetryPolicy, error: &Error) {
        self.failures = self.failures.saturating_add(1);
        self.here = self.here.saturating_add(1);
        let unreachable = matches!(error, Error::Connect { .. } | Error::ConnectTimeout { .. });
        if !unreachable || self.here > policy.retries {
            self.failovers = self.failovers.saturating_add(1);
            self.here = 0;
        }
    }
}

/// What is known about a call that failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation {
    /// Whether the call may be sent twice.
    pub(crate) idempotent: bool,
    /// What has failed, this try included.
    pub(crate) count: Count,
    /// How long ago the first try began.
    pub(crate) elapsed: Duration,
    /// How many servers there are to choose from.
    pub(crate) servers: usize,
    /// A random number from 0 to 1, which spreads the pauses of many clients.
    pub(crate) jitter: f64,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Hand the failure to the caller.
    Fail,
    /// Try again.
    Retry {
        /// After how long.
        pause: Duration,
        /// Whether on the next server.
        move_on: bool,
    },
}

/// Decides what follows `error`.
pub(crate) fn decide(policy: &RetryPolicy, error: &Error, situation: Situation) -> Next {
    let (again, move_on) = match error {
        Error::Connect { .. } | Error::ConnectTimeout { .. } => (true, true),
        Error::Lost { .. } | Error::Timeout { .. } => (situation.idempotent, true),
        Error::Remote { exception, .. } => match exception.kind() {
            ExceptionKind::Standby => (true, true),
            ExceptionKind::Retriable | ExceptionKind::NodeNotReady => (true, false),
            _ => (false, false),
        },
        Error::Sasl { .. }
        | Error::Protocol { .. }
        | Error::RequestTooLong { .. }
        | Error::Incomplete { .. }
        | Error::NoServer => (false, false),
    };
    if !again {
        return Next::Fail;
    }
    let Count { failures, failovers, here } = situation.count;
    let several = move_on && situation.servers > 1;
    let move_on = several && here == 0;
    if policy.max_failovers.is_some_and(|most| failovers > most) {
        return Next::Fail;
    }
    // Every server is tried before the first pause.
    let servers = u32::try_from(situation.servers).unwrap_or(u32::MAX);
    let rounds = if several { failovers / servers } else { failures };
    let pause = if rounds == 0 {
        Duration::ZERO
    } else {
        policy
            .first_pause
            .saturating_mul(1 << (rounds - 1).min(16))
            .min(policy.max_pause)
            .mul_f64(0.5 + situation.jitter.clamp(0.0, 1.0) / 2.0)
    };
    if situation.elapsed.saturating_add(pause) > policy.max_wait || policy.max_wait.is_zero() {
        return Next::Fail;
    }
    Next::Retry { pause, move_on }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;
    use crate::rpc::Exception;

    const FIRST_PAUSE: Duration = Duration::from_millis(100);

    fn situation() -> Situation {
        Situation { idempotent: true, count: same(1), elapsed: Duration::ZERO, servers: 2, jitter: 1.0 }
    }

    /// So many failures where no server gets several tries.
    fn same(failures: u32) -> Count {
        Count { failures, failovers: failures, here: 0 }
    }

    /// So many failures of one kind.
    fn counted(policy: &RetryPolicy, error: &Error, failures: u32) -> Count {
        let mut count = Count::default();
        (0..failures).for_each(|_| count.add(policy, error));
        count
    }

    fn refused() -> Error {
        Error::Connect { address: "rm:8032".into(), source: Arc::new(io::ErrorKind::ConnectionRefused.into()) }
    }

    fn lost() -> Error {
        Error::Lost { address: "rm:8032".into(), source: Arc::new(io::ErrorKind::ConnectionReset.into()) }
    }

    fn remote(class: &str) -> Error {
        Error::Remote { address: "rm:8032".into(), exception: Exception::from_wire(class, "", false) }
    }

    #[test]
    fn a_refused_connection_leads_to_the_next_server_at_once_and_to_a_pause_after_a_whole_round() {
        let policy = RetryPolicy::default();
        assert_eq!(decide(&policy, &refused(), situation()), Next::Retry { pause: Duration::ZERO, move_on: true });
        let second = Situation { count: same(2), ..situation() };
        assert_eq!(decide(&policy, &refused(), second), Next::Retry { pause: FIRST_PAUSE, move_on: true });
        let alone = Situation { servers: 1, ..situation() };
        assert_eq!(decide(&policy, &refused(), alone), Next::Retry { pause: FIRST_PAUSE, move_on: false });
    }

    #[test]
    fn pauses_double_up_to_the_longest_one_and_end_with_the_time_allowed() {
        let policy = RetryPolicy {
            max_pause: Duration::from_secs(1),
            max_wait: Duration::from_secs(5),
            ..RetryPolicy::default()
        };
        let pause = |failures, elapsed| {
            decide(&policy, &refused(), Situation { count: same(failures), elapsed, servers: 1, ..situation() })
        };
        assert_eq!(pause(3, Duration::ZERO), Next::Retry { pause: Duration::from_millis(400), move_on: false });
        assert_eq!(pause(u32::MAX, Duration::ZERO), Next::Retry { pause: Duration::from_secs(1), move_on: false });
        assert_eq!(pause(8, Duration::from_millis(4500)), Next::Fail);
        assert_eq!(decide(&RetryPolicy::never(), &refused(), situation()), Next::Fail);
    }

    #[test]
    fn failovers_are_counted_and_a_server_may_be_tried_again_before_the_next() {
        let policy = RetryPolicy { max_failovers: Some(2), retries: 1, ..RetryPolicy::default() };
        let after = |failures| {
            decide(&policy, &refused(), Situation { count: counted(&policy, &refused(), failures), ..situation() })
        };
        assert_eq!(after(1), Next::Retry { pause: Duration::ZERO, move_on: false });
        assert_eq!(after(2), Next::Retry { pause: Duration::ZERO, move_on: true });
        assert_eq!(after(4), Next::Retry { pause: FIRST_PAUSE, move_on: true });
        assert_eq!(after(6), Next::Fail);
        let standby = remote("org.apache.hadoop.ipc.StandbyException");
        assert_eq!(decide(&policy, &standby, situation()), Next::Retry { pause: Duration::ZERO, move_on: true });
    }

    #[test]
    fn failovers_are_counted_alike_whatever_kinds_of_failures_lead_to_them() {
        let policy =
            RetryPolicy { max_failovers: Some(7), retries: 3, max_wait: Duration::MAX, ..RetryPolicy::default() };
        let (standby, mut count, mut server, mut moves) =
            (remote("org.apache.hadoop.ipc.StandbyException"), Count::default(), 0, Vec::new());
        loop {
            // The first server is down, the second one stands by.
            let error = if server == 0 { refused() } else { standby.clone() };
            count.add(&policy, &error);
            let Next::Retry { move_on, .. } = decide(&policy, &error, Situation { count, ..situation() }) else {
                break;
            };
            if move_on {
                moves.push(count.failures);
                server = 1 - server;
            }
        }
        assert_eq!(moves, [4, 5, 9, 10, 14, 15, 19], "after how many failures");
        assert_eq!(count.failures, 20);
    }

    #[test]
    fn tries_are_counted_also_where_there_is_nobody_to_go_on_to() {
        let policy = RetryPolicy { max_failovers: Some(2), max_wait: Duration::MAX, ..RetryPolicy::default() };
        let retriable = remote("org.apache.hadoop.ipc.RetriableException");
        for (error, servers) in [(refused(), 1), (retriable, 2)] {
            let after = |failures| {
                let count = counted(&policy, &error, failures);
                decide(&policy, &error, Situation { count, servers, ..situation() })
            };
            assert!(matches!(after(2), Next::Retry { move_on: false, .. }), "{error}");
            assert_eq!(after(3), Next::Fail, "{error}");
        }
    }

    #[test]
    fn a_wait_without_end_has_none() {
        let policy = RetryPolicy { max_wait: Duration::MAX, ..RetryPolicy::default() };
        let late = Situation { elapsed: Duration::MAX, ..situation() };
        assert!(matches!(decide(&policy, &refused(), late), Next::Retry { .. }));
    }

    #[test]
    fn a_call_that_may_have_been_taken_is_repeated_only_when_that_does_no_harm() {
        let policy = RetryPolicy::default();
        assert_eq!(decide(&policy, &lost(), situation()), Next::Retry { pause: Duration::ZERO, move_on: true });
        assert_eq!(decide(&policy, &lost(), Situation { idempotent: false, ..situation() }), Next::Fail);
    }

    #[test]
    fn what_a_server_says_decides() {
        let policy = RetryPolicy::default();
        let once = Situation { idempotent: false, ..situation() };
        assert_eq!(
            decide(&policy, &remote("org.apache.hadoop.ipc.StandbyException"), once),
            Next::Retry { pause: Duration::ZERO, move_on: true }
        );
        assert_eq!(
            decide(&policy, &remote("org.apache.hadoop.ipc.RetriableException"), once),
            Next::Retry { pause: FIRST_PAUSE, move_on: false }
        );
        assert_eq!(
            decide(&policy, &remote("org.apache.hadoop.yarn.exceptions.YarnException"), situation()),
            Next::Fail
        );
        assert_eq!(
            decide(&policy, &remote("org.apache.hadoop.security.token.SecretManager$InvalidToken"), situation()),
            Next::Fail
        );
    }
}
