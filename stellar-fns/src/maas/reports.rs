//! Where failures go: nothing that gives null is silent, and a model that is down doesn't fill the log.

use std::collections::HashMap;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use maas_client::call::Outcome;
use parking_lot::Mutex;

use super::Failure;

/// Takes note of calls that gave null.
pub trait Report: Send + Sync + Debug {
    /// Called for each of them, on the evaluating thread.
    fn failed(&self, function: &'static str, failure: &Failure);
}

/// How long one line stands for others like it.
const QUIET: Duration = Duration::from_secs(60);
/// How many kinds are told apart; names come from expressions and data.
const MOST: usize = 10_000;

/// Logs failures by `tracing`: a warning for each model, version and outcome once a minute, with the number of those not logged since the last.
#[derive(Debug, Default)]
pub struct Logged(Mutex<HashMap<Kind, Seen>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    function: &'static str,
    model: Option<String>,
    version: Option<String>,
    outcome: Outcome,
}

#[derive(Debug)]
struct Seen {
    logged: Instant,
    since: u64,
}

impl Report for Logged {
    fn failed(&self, function: &'static str, failure: &Failure) {
        let Some(unlogged) = self.due(function, failure, Instant::now()) else { return };
        tracing::warn!(
            function,
            model = failure.model.as_deref().unwrap_or_default(),
            version = failure.version.as_deref().unwrap_or_default(),
            outcome = failure.outcome.as_str(),
            error = failure.message,
            unlogged,
            "a model call gave null"
        );
    }
}

impl Logged {
    /// How many like this were not logged since the last one, if this is to be logged now.
    fn due(&self, function: &'static str, failure: &Failure, now: Instant) -> Option<u64> {
        let kind =
            Kind { function, model: failure.model.clone(), version: failure.version.clone(), outcome: failure.outcome };
        let mut kinds = self.0.lock();
        let is_quiet = |seen: &Seen| now.saturating_duration_since(seen.logged) < QUIET;
        if let Some(seen) = kinds.get_mut(&kind) {
            if is_quiet(seen) {
                seen.since += 1;
                return None;
            }
            seen.logged = now;
            return Some(std::mem::take(&mut seen.since));
        }
        if kinds.len() >= MOST {
            kinds.retain(|_, seen| is_quiet(seen));
        }
        if kinds.len() >= MOST {
            kinds.clear();
        }
        kinds.insert(kind, Seen { logged: now, since: 0 });
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_stands_for_all_of_its_kind() {
        let logged = Logged::default();
        let start = Instant::now();
        let failure = |outcome| Failure { model: Some("dga".into()), outcome, ..Failure::nothing_named("x") };
        assert_eq!(logged.due("F", &failure(Outcome::Timeout), start), Some(0));
        for second in 0..59 {
            assert_eq!(logged.due("F", &failure(Outcome::Timeout), start + Duration::from_secs(second)), None);
        }
        assert_eq!(logged.due("F", &failure(Outcome::Refused), start), Some(0), "another outcome is another kind");
        assert_eq!(logged.due("F", &failure(Outcome::Timeout), start + QUIET), Some(59));
    }

    #[test]
    fn names_from_outside_take_a_bounded_room() {
        let logged = Logged::default();
        let now = Instant::now();
        for index in 0..MOST + 10 {
            let failure = Failure { model: Some(index.to_string()), ..Failure::nothing_named("x") };
            assert_eq!(logged.due("F", &failure, now), Some(0));
        }
        assert!(logged.0.lock().len() <= MOST);
    }
}
