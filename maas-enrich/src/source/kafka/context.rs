//! What Kafka's client tells of itself: troubles, what waits, partitions that come and go, commits that are answered.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::ledger::Ledger;
use crate::kafka::Heard;

/// Refused commits are logged so often.
const REPEATS: Duration = Duration::from_secs(30);

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

    /// These commits failed.
    pub(super) fn refuse(&self, offsets: impl IntoIterator<Item = (i32, i64)>, error: &KafkaError) {
        let mut ledger = self.ledger.lock();
        offsets.into_iter().for_each(|(partition, next)| ledger.refused(partition, next));
        drop(ledger);
        let now = Instant::now();
        let mut refused = self.refused.lock();
        refused.0 = Some(now);
        if belongs_to_rebalances(error) {
            tracing::info!(%error, "a commit came into a new distribution of the partitions");
        } else if refused.1.is_none_or(|logged| now.duration_since(logged) >= REPEATS) {
            refused.1 = Some(now);
            tracing::warn!(%error, "a commit was refused; it is tried again");
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

/// Whether a commit fails so because the group shares out its partitions anew.
fn belongs_to_rebalances(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::RebalanceInProgress
                | RDKafkaErrorCode::IllegalGeneration
                | RDKafkaErrorCode::UnknownMemberId
        )
    )
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
    fn log(&self, level: RDKafkaLogLevel, _: &str, text: &str) {
        self.heard.log(level, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.heard.error(&error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
        let known = partitions.filter(|partition| partition.partition >= 0 && partition.consumer_lag >= 0);
        *self.lag.lock() = known.map(|partition| (partition.partition, partition.consumer_lag)).collect();
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

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        for element in offsets.elements() {
            let Offset::Offset(next) = element.offset() else { continue };
            match result.clone().and_then(|()| element.error()) {
                Ok(()) => self.ledger.lock().confirmed(element.partition(), next),
                Err(error) => self.refuse([(element.partition(), next)], &error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(next: i64) -> TopicPartitionList {
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset("t", 0, Offset::Offset(next)).unwrap();
        offsets
    }

    #[test]
    fn a_commit_that_brokers_refuse_later_is_due_again() {
        let context = Context::default();
        let due = || context.ledger.lock().take_due();
        context.ledger.lock().assigned([0]);
        let tenure = context.ledger.lock().read(0, 6);
        context.ledger.lock().acknowledge(0, 6, tenure);
        assert_eq!(due(), [(0, 7)]);
        let refused = KafkaError::ConsumerCommit(RDKafkaErrorCode::NotCoordinator);
        context.commit_callback(Err(refused), &offset(7));
        assert!(context.last_refused().is_some());
        assert_eq!(due(), [(0, 7)]);
        context.commit_callback(Ok(()), &offset(7));
        assert!(due().is_empty() && context.ledger.lock().uncommitted().is_empty());
    }
}
