//! `[limits]` of a settings file: each knob of [`crate::policy::Policy`] under a name with its unit, each optional.
//!
//! `docs/service.toml` shows them all with their defaults. The session time-out stands outside of it, because it is
//! ZooKeeper's to grant.

use super::resolve::Error;
use crate::policy::Policy;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Makes [`Limits`] from `key: range => field of the policy, how the number is meant`.
macro_rules! limits {
    ($($(#[$doc:meta])* $key:ident: $range:expr => $field:ident, $meant:ident;)*) => {
        /// What a file says about limits. Unknown keys are errors.
        #[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Limits {
            $($(#[$doc])* pub $key: Option<u64>,)*
        }

        impl Limits {
            /// The policy with what is said here put over it; a number out of its range names its key and the range.
            pub fn over(&self, mut policy: Policy) -> Result<Policy, Error> {
                $(if let Some(given) = self.$key {
                    policy.$field = $meant(within(concat!("limits.", stringify!($key)), given, $range)?);
                })*
                Ok(policy)
            }
        }

        #[cfg(test)]
        const KEYS: &[&str] = &[$(stringify!($key)),*];
    };
}

limits! {
    /// A launch must be claimed within this, s.
    claim_deadline_s: 1..=86_400 => claim_deadline, seconds;
    /// An instance out of sight, whose death is not proved, is left alone this long, s.
    unready_grace_s: 1..=86_400 => unready_grace, seconds;
    /// What is added to draining and stopping before the launcher kills, s.
    stop_margin_s: 1..=86_400 => stop_margin, seconds;
    /// A kill is repeated this often until death is proved, s.
    kill_again_s: 1..=86_400 => kill_again, seconds;
    /// A failure this soon after its start counts towards the crash loop, s.
    quick_failure_s: 1..=86_400 => quick_failure, seconds;
    /// This many of them in a row are a crash loop.
    crash_loop_failures: 1..=1_000 => crash_loop_failures, number;
    /// First delay of a crash loop, ms.
    backoff_first_ms: 1..=3_600_000 => backoff_first, milliseconds;
    /// Longest delay of a crash loop, s.
    backoff_longest_s: 1..=86_400 => backoff_longest, seconds;
    /// This long without a quick failure, with something ready, forgets the crash loop, s.
    good_time_s: 1..=604_800 => good_time, seconds;
    /// A payload that could not be read is tried again after this, s.
    payload_retry_s: 1..=86_400 => payload_retry, seconds;
    /// Most instances one request may add; it can be lowered.
    most_at_once: 1..=1_000 => most_at_once, number;
    /// Most instances of one version; it can be lowered.
    most_of_version: 1..=10_000 => most_of_version, number;
    /// Least memory of an instance, MB.
    least_memory_mb: 1..=16_777_216 => least_memory_mb, whole;
    /// Most memory of an instance, MB; it can be lowered.
    most_memory_mb: 1..=16_777_216 => most_memory_mb, whole;
    /// Longest message of the queue that is read at all, bytes.
    longest_message_bytes: 1_024..=524_288 => longest_message, size;
    /// Requests taken in one transaction.
    intake_batch: 1..=256 => intake_batch, size;
    /// How much of a message that was set aside is kept, bytes.
    rejected_bytes: 0..=32_768 => rejected_bytes, size;
    /// Outcomes and idempotency keys of requests that are kept.
    keep_requests: 1..=1_000_000 => keep_requests, size;
    /// How long they are kept, s.
    keep_requests_s: 60..=31_536_000 => keep_requests_for, seconds;
    /// How long a version is remembered of which nothing is wanted or left, s.
    keep_removed_s: 60..=31_536_000 => keep_removed_for, seconds;
    /// Messages set aside that are kept.
    keep_rejected: 1..=100_000 => keep_rejected, size;
    /// Ended instances of a version that are kept.
    keep_ended: 1..=100 => keep_ended, size;
    /// How often old nodes are trimmed, s.
    trim_every_s: 1..=86_400 => trim_every, seconds;
    /// A pass over everything is made at least this often, ms.
    pass_every_ms: 100..=60_000 => pass_every, milliseconds;
    /// Steps in flight at once.
    steps_at_once: 1..=1_024 => steps_at_once, size;
}

fn within(key: &'static str, given: u64, range: RangeInclusive<u64>) -> Result<u64, Error> {
    if range.contains(&given) {
        return Ok(given);
    }
    let detail = format!("from {} to {}", range.start(), range.end());
    Err(Error::Value { key, value: given.to_string(), detail })
}

fn seconds(given: u64) -> Duration {
    Duration::from_secs(given)
}

fn milliseconds(given: u64) -> Duration {
    Duration::from_millis(given)
}

fn whole(given: u64) -> u64 {
    given
}

fn number(given: u64) -> u32 {
    u32::try_from(given).unwrap_or(u32::MAX)
}

fn size(given: u64) -> usize {
    usize::try_from(given).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layer;
    use std::path::Path;

    const EXAMPLE: &str = include_str!("../../../docs/service.toml");

    #[test]
    fn the_example_file_shows_every_limit_with_its_default() {
        // What is commented out is what holds without it.
        let shown: String = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix("#= ").unwrap_or(line))
            .map(|line| format!("{line}\n"))
            .collect();
        let layer = Layer::from_toml(Path::new("docs/service.toml"), &shown).unwrap();
        for key in KEYS {
            assert!(shown.lines().any(|line| line.starts_with(&format!("{key} = "))), "{key} is not shown");
        }
        assert_eq!(layer.limits.over(Policy::default()).unwrap(), Policy::default());
        assert!(Layer::from_toml(Path::new("docs/service.toml"), EXAMPLE).is_ok());
    }

    #[test]
    fn every_knob_but_the_session_time_out_has_a_limit() {
        let policy = format!("{:#?}", Policy::default());
        let knobs = policy.lines().filter(|line| line.starts_with("    ")).count();
        assert_eq!(knobs, KEYS.len() + 1, "{policy}");
    }

    #[test]
    fn a_limit_changes_its_knob_alone() {
        let layer = Layer::from_toml(Path::new("f"), "[limits]\nunready_grace_s = 7\nkeep_ended = 3\n").unwrap();
        let policy = layer.limits.over(Policy::default()).unwrap();
        let expected = Policy { unready_grace: Duration::from_secs(7), keep_ended: 3, ..Policy::default() };
        assert_eq!(policy, expected);
    }

    #[test]
    fn unknown_limits_and_numbers_out_of_range_name_their_key() {
        let error = Layer::from_toml(Path::new("f"), "[limits]\nkeep_endde = 3\n").unwrap_err();
        assert!(error.to_string().contains("keep_endde"), "{error}");
        let limits = Limits { steps_at_once: Some(0), ..Limits::default() };
        let error = limits.over(Policy::default()).unwrap_err();
        assert_eq!(error.to_string(), "limits.steps_at_once \"0\": from 1 to 1024");
    }
}
