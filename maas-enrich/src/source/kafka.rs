//! A topic, read as a member of a consumer group.
//!
//! Nothing is committed before it is acknowledged, so after any crash a line is read again rather than lost. Partitions come and go with the group's members.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::FutureExt;
use parking_lot::Mutex;
use rdkafka::consumer::{CommitMode, Consumer, ConsumerContext, StreamConsumer};
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use rdkafka::statistics::Statistics;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use stellar_fns::Value;

use super::{Error, Source};
use crate::event::{Place, Raw};
use crate::kafka::{GUID_HEADER, Properties};
use crate::message::Message;

/// How long the brokers are waited for at the start.
const PATIENCE: Duration = Duration::from_secs(10);
/// Lines that are given at once.
const BATCH: usize = 512;
const DEFAULTS: &[(&str, &str)] = &[
    // One that was killed keeps its partitions for so long: the shortest time that brokers allow by default.
    ("session.timeout.ms", "6000"),
    ("heartbeat.interval.ms", "1500"),
    ("statistics.interval.ms", "2000"),
];
/// Bytes of a guid that a record brings with it.
const LONGEST_GUID: usize = 128;
/// How often offsets are committed at most.
const COMMITS: Duration = Duration::from_millis(200);

/// What is read.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// `HOST:PORT,…`.
    pub brokers: String,
    /// The topic.
    pub topic: String,
    /// The consumer group.
    pub group: String,
    /// Where to begin where the group has committed nothing: the oldest line, else the next one.
    pub earliest: bool,
    /// Only what is there at the start.
    pub once: bool,
}

/// See the module.
pub struct KafkaTopic {
    consumer: StreamConsumer<Context>,
    topic: Arc<str>,
    /// What is known of every line.
    known: Arc<Message>,
    /// What is there at the start, where only that is read: each partition's end, and the next line.
    ends: Option<HashMap<i32, End>>,
    uncommitted: HashMap<i32, i64>,
    committed: Instant,
}

#[derive(Debug)]
struct End {
    next: i64,
    end: i64,
}

/// Keeps what the client tells of itself.
#[derive(Debug, Default)]
struct Context {
    lag: Mutex<Vec<(i32, i64)>>,
}

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
        let known = partitions.filter(|partition| partition.partition >= 0 && partition.consumer_lag >= 0);
        *self.lag.lock() = known.map(|partition| (partition.partition, partition.consumer_lag)).collect();
    }
}

impl ConsumerContext for Context {}

impl std::fmt::Debug for KafkaTopic {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "KafkaTopic({})", self.topic)
    }
}

impl KafkaTopic {
    /// Joins the group. Brokers that can't be reached at the start are an error; later they are waited for.
    pub fn open(wanted: &Wanted, properties: &Properties) -> Result<Self, Error> {
        let refused = |error: rdkafka::error::KafkaError| Error::Refused {
            name: format!("kafka://{}/{}", wanted.brokers, wanted.topic),
            message: error.to_string(),
        };
        let mut config = properties.client(&wanted.brokers, DEFAULTS);
        config
            .set("group.id", &wanted.group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", if wanted.earliest { "earliest" } else { "latest" });
        let consumer: StreamConsumer<Context> = config.create_with_context(Context::default()).map_err(refused)?;
        let metadata = consumer.fetch_metadata(Some(&wanted.topic), PATIENCE).map_err(refused)?;
        let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions()).map(|partition| partition.id());
        let ends = if wanted.once { Some(ends(&consumer, wanted, partitions).map_err(refused)?) } else { None };
        consumer.subscribe(&[&wanted.topic]).map_err(refused)?;
        let topic: Arc<str> = wanted.topic.as_str().into();
        let known = Arc::new(Message::from_iter([("topic", Value::text(&*topic))]));
        Ok(Self { consumer, topic, known, ends, uncommitted: HashMap::new(), committed: Instant::now() })
    }

    fn is_at_end(&self) -> bool {
        self.ends.as_ref().is_some_and(|ends| ends.values().all(|end| end.next >= end.end))
    }

    /// The message as a line; none where it came after what is to be read.
    fn line(
        topic: &Arc<str>,
        known: &Arc<Message>,
        ends: &mut Option<HashMap<i32, End>>,
        message: &BorrowedMessage<'_>,
    ) -> Option<Raw> {
        let (partition, offset) = (message.partition(), message.offset());
        if let Some(ends) = ends {
            let end = ends.entry(partition).or_insert(End { next: 0, end: 0 });
            end.next = offset + 1;
            if offset >= end.end {
                return None;
            }
        }
        // A key that is a JSON object describes the message.
        let key = message.key().filter(|key| key.first() == Some(&b'{')).and_then(|key| Message::from_json(key).ok());
        let metadata = Some(key.map_or_else(
            || known.clone(),
            |key| {
                let mut metadata = Message::clone(known);
                metadata.extend(key);
                Arc::new(metadata)
            },
        ));
        let place = Place::Topic { topic: topic.clone(), partition, offset };
        let given_guid = message.headers().and_then(|headers| {
            let given = headers.iter().find(|header| header.key == GUID_HEADER)?.value?;
            let is_guid = given.len() <= LONGEST_GUID && given.iter().all(u8::is_ascii_graphic);
            is_guid.then(|| String::from_utf8_lossy(given).into_owned())
        });
        Some(Raw { bytes: message.payload().unwrap_or_default().to_vec(), place, metadata, given_guid })
    }

    fn commit(&mut self, mode: CommitMode) -> Result<(), rdkafka::error::KafkaError> {
        if self.uncommitted.is_empty() {
            return Ok(());
        }
        let mut offsets = TopicPartitionList::new();
        for (partition, offset) in self.uncommitted.drain() {
            offsets.add_partition_offset(&self.topic, partition, Offset::Offset(offset + 1))?;
        }
        self.committed = Instant::now();
        self.consumer.commit(&offsets, mode)
    }
}

/// Where each partition begins for the group, and ends now.
fn ends(
    consumer: &StreamConsumer<Context>,
    wanted: &Wanted,
    partitions: impl Iterator<Item = i32>,
) -> Result<HashMap<i32, End>, rdkafka::error::KafkaError> {
    let mut asked = TopicPartitionList::new();
    let mut ends = HashMap::new();
    for partition in partitions {
        let (low, high) = consumer.fetch_watermarks(&wanted.topic, partition, PATIENCE)?;
        asked.add_partition(&wanted.topic, partition);
        ends.insert(partition, End { next: if wanted.earliest { low } else { high }, end: high });
    }
    for element in consumer.committed_offsets(asked, PATIENCE)?.elements() {
        if let (Offset::Offset(next), Some(end)) = (element.offset(), ends.get_mut(&element.partition())) {
            end.next = next;
        }
    }
    Ok(ends)
}

#[async_trait(?Send)]
impl Source for KafkaTopic {
    async fn next(&mut self) -> Result<Option<Vec<Raw>>, Error> {
        loop {
            if self.is_at_end() {
                return Ok(None);
            }
            let mut lines = Vec::new();
            let first = match self.consumer.recv().await {
                Ok(message) => message,
                Err(error) => {
                    // The client goes on by itself: brokers come back.
                    tracing::warn!(topic = &*self.topic, %error, "reading is tried again");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            lines.extend(Self::line(&self.topic, &self.known, &mut self.ends, &first));
            while lines.len() < BATCH {
                let Some(Ok(message)) = self.consumer.recv().now_or_never() else { break };
                lines.extend(Self::line(&self.topic, &self.known, &mut self.ends, &message));
            }
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
        }
    }

    fn acknowledge(&mut self, places: &[Place]) {
        for place in places {
            if let Place::Topic { partition, offset, .. } = place {
                self.uncommitted.insert(*partition, *offset);
            }
        }
        if self.committed.elapsed() >= COMMITS
            && let Err(error) = self.commit(CommitMode::Async)
        {
            // A partition that went to another member is that one's to commit.
            tracing::debug!(topic = &*self.topic, %error, "not committed");
        }
    }

    async fn close(&mut self) -> Result<(), Error> {
        if let Err(error) = self.commit(CommitMode::Sync) {
            tracing::warn!(topic = &*self.topic, %error, "the last lines are not committed; they are read again next time");
        }
        Ok(())
    }

    fn lag(&self) -> Vec<(i32, i64)> {
        self.consumer.context().lag.lock().clone()
    }
}
