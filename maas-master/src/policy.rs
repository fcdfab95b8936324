//! Every knob of the master in one place, each with its unit and default.

use std::time::Duration;

/// How long the master waits, how much it keeps, how much it takes at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Session time-out asked of ZooKeeper for runners; 10 s.
    pub session_timeout: Duration,
    /// A launch must be claimed within this; 60 s.
    pub claim_deadline: Duration,
    /// An instance without claim and without proof of death is left alone this long; 60 s.
    pub unready_grace: Duration,
    /// What is added to draining and stopping before the launcher kills; 5 s.
    pub stop_margin: Duration,
    /// A kill is repeated this often until death is proved; 5 s.
    pub kill_again: Duration,
    /// A failure this soon after its start counts towards the crash loop; 60 s.
    pub quick_failure: Duration,
    /// This many of them in a row are a crash loop; 3.
    pub crash_loop_failures: u32,
    /// First delay of a crash loop; 1 s.
    pub backoff_first: Duration,
    /// Longest delay of a crash loop; 5 min.
    pub backoff_longest: Duration,
    /// This long without a quick failure, with something ready, forgets the crash loop; 10 min.
    pub good_time: Duration,
    /// A payload that could not be read is tried again after this; 10 s.
    pub payload_retry: Duration,
    /// Most instances one request may add; 1,000.
    pub most_at_once: u32,
    /// Most instances of one version; 10,000.
    pub most_of_version: u32,
    /// Least memory of an instance, MB; 1.
    pub least_memory_mb: u64,
    /// Most memory of an instance, MB; 16 TB.
    pub most_memory_mb: u64,
    /// Longest message that is read at all, bytes; 256 KiB.
    pub longest_message: usize,
    /// Requests taken in one transaction; 32.
    pub intake_batch: usize,
    /// How much of a message that was set aside is kept, bytes; 4 KiB.
    pub rejected_bytes: usize,
    /// Requests and idempotency keys kept; 10,000.
    pub keep_requests: usize,
    /// How long requests and idempotency keys are kept; 7 days.
    pub keep_requests_for: Duration,
    /// How long a version is remembered of which nothing is wanted or left; 30 days.
    pub keep_removed_for: Duration,
    /// Messages set aside that are kept; 1,000.
    pub keep_rejected: usize,
    /// Ended instances of a version that are kept; 20.
    pub keep_ended: usize,
    /// How often old nodes are trimmed; 1 min.
    pub trim_every: Duration,
    /// A pass runs at least this often, without any wake-up; 1 s.
    pub pass_every: Duration,
    /// Steps in flight at once; 64.
    pub steps_at_once: usize,
}

impl Default for Policy {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Policy {
            session_timeout: Duration::from_secs(10),
            claim_deadline: Duration::from_secs(60),
            unready_grace: Duration::from_secs(60),
            stop_margin: Duration::from_secs(5),
            kill_again: Duration::from_secs(5),
            quick_failure: Duration::from_secs(60),
            crash_loop_failures: 3,
            backoff_first: Duration::from_secs(1),
            backoff_longest: Duration::from_secs(300),
            good_time: Duration::from_secs(600),
            payload_retry: Duration::from_secs(10),
            most_at_once: 1_000,
            most_of_version: 10_000,
            least_memory_mb: 1,
            most_memory_mb: 16 << 20,
            longest_message: 256 << 10,
            intake_batch: 32,
            rejected_bytes: 4 << 10,
            keep_requests: 10_000,
            keep_requests_for: 7 * DAY,
            keep_removed_for: 30 * DAY,
            keep_rejected: 1_000,
            keep_ended: 20,
            trim_every: Duration::from_secs(60),
            pass_every: Duration::from_secs(1),
            steps_at_once: 64,
        }
    }
}
