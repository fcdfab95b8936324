//! What Kafka's client tells of itself: troubles, what waits, partitions that come and go, what became of commits.
//!
//! The client has no callback for a commit that nobody waits for: librdkafka calls back only where a C function was given, which its binding does not do. What it does is to log a commit
//! that fails, and to tell in its statistics what is committed.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::ledger::Ledger;
use crate::kafka::Heard;

/// Refused commits are logged so often.
const REPEATS: Duration = Duration::from_secs(30);
/// The kind of log lines of commits that failed.
const COMMIT_FAILED: &str = "COMMITFAIL";

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Context {
    pub(super) heard: Heard,
    pub(super) ledger: Mutex<Ledger>,
    /// Whether nothing is to be given: partitions that come are held too.
    pub(super) is_held: AtomicBool,
    lag: Mutex<Vec<(i32, i64)>>,
    /// When a commit was last refused, and when that was last logged.
    refused: Mutex<(Option<Instant>, Option<Instant>)>,
}

impl Context {
    /// What waits in the partitions that are ours.
    pub(super) fn lag(&self) -> Vec<(i32, i64)> {
        let ledger = self.ledger.lock();
        self.lag.lock().iter().copied().filter(|(partition, _)| ledger.is_ours(*partition)).collect()
    }

    /// When a commit was last refused.
    pub(super) fn last_refused(&self) -> Option<Instant> {
        self.refused.lock().0
    }

    /// Commits that were under way failed: which of them is not known, so all of them are due again.
    pub(super) fn refuse(&self, error: &str) {
        self.ledger.lock().refused();
        let now = Instant::now();
        let mut refused = self.refused.lock();
        refused.0 = Some(now);
        if refused.1.is_none_or(|logged| now.duration_since(logged) >= REPEATS) {
            refused.1 = Some(now);
            tracing::warn!(error, "a commit was refused; it is tried again");
        }
    }

    /// Commits what is acknowledged of partitions that are about to go, so that who has them next begins behind it.
    fn commit_before_leaving(&self, consumer: &BaseConsumer<Self>, going: &TopicPartitionList) {
        let mut offsets = TopicPartitionList::new();
        {
            let ledger = self.ledger.lock();
            for element in going.elements() {
                if let Some(next) = ledger.uncommitted_of(element.partition()) {
                    let (topic, partition) = (element.topic(), element.partition());
                    // Only offsets that brokers don't have are refused here.
                    let _ = offsets.add_partition_offset(topic, partition, Offset::Offset(next));
                }
            }
        }
        if offsets.count() == 0 {
            return;
        }
        match consumer.commit(&offsets, CommitMode::Sync) {
            Ok(()) => {
                let mut ledger = self.ledger.lock();
                pairs(&offsets).for_each(|(partition, next)| ledger.confirmed(partition, next));
            }
            Err(error) => {
                tracing::info!(%error, "what was written last is read again by whoever has the partitions next")
            }
        }
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<i32> {
    list.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::partition).collect()
}

/// Partitions and offsets.
pub(super) fn pairs(list: &TopicPartitionList) -> impl Iterator<Item = (i32, i64)> {
    list.elements().into_iter().filter_map(|element| match element.offset() {
        Offset::Offset(next) => Some((element.partition(), next)),
        _ => None,
    })
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, kind: &str, text: &str) {
        if kind == COMMIT_FAILED {
            return self.refuse(text);
        }
        self.heard.log(level, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.heard.error(&error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
        let known = || partitions.clone().filter(|partition| partition.partition >= 0);
        let mut ledger = self.ledger.lock();
        let refused = known().filter(|one| !ledger.told(one.partition, one.committed_offset)).count();
        drop(ledger);
        if refused > 0 {
            self.refuse("it has no answer");
        }
        let lagging = known().filter(|partition| partition.consumer_lag >= 0);
        *self.lag.lock() = lagging.map(|partition| (partition.partition, partition.consumer_lag)).collect();
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(going) = rebalance {
            // Those that are lost already are others': a commit would be refused.
            if !consumer.assignment_lost() {
                self.commit_before_leaving(consumer, going);
            }
            self.ledger.lock().revoked(partitions(going));
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(coming) = rebalance {
            self.ledger.lock().assigned(partitions(coming));
            // One that was held when it went comes back so.
            let done = if self.is_held.load(Relaxed) { consumer.pause(coming) } else { consumer.resume(coming) };
            if let Err(error) = done {
                tracing::warn!(%error, "partitions that came can't be held or let go");
            }
        }
    }
}
