//! A topic, read as a member of a consumer group.
//!
//! Nothing is committed before it is acknowledged, so after any crash a line is read again rather than lost. Partitions come and go with the group's members, of which
//! each worker of a process is one. Where only what is there at the start is read, the workers know together when that is done.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::FutureExt;
use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{CommitMode, Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use rdkafka::statistics::Statistics;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use stellar_fns::Value;
use tokio_util::sync::CancellationToken;

use super::{Error, Source};
use crate::event::{Place, Raw};
use crate::kafka::{GUID_HEADER, Heard, PATIENCE, Properties, Unusable, reach};
use crate::message::Message;

/// Lines that are given at once.
const BATCH: usize = 512;
const DEFAULTS: &[(&str, &str)] = &[
    // One that was killed keeps its partitions for so long: the shortest time that brokers allow by default.
    ("session.timeout.ms", "6000"),
    ("heartbeat.interval.ms", "1500"),
    ("statistics.interval.ms", "2000"),
    // A topic that is made later, and a partition that is added, are found so soon.
    ("topic.metadata.refresh.interval.ms", "10000"),
];
/// Bytes of a guid that a record brings with it.
const LONGEST_GUID: usize = 128;
/// How often offsets are committed at most.
const COMMITS: Duration = Duration::from_millis(200);
/// How long a last commit is tried while the group shares out its partitions anew, and how often.
const LAST_COMMIT: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(100);

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
    /// Only what is there at the start, of which all that read it together know the end.
    pub once: Option<Arc<Ends>>,
}

/// See the module.
pub struct KafkaTopic {
    consumer: StreamConsumer<Context>,
    topic: Arc<str>,
    /// What is known of every line.
    known: Arc<Message>,
    ends: Option<Arc<Ends>>,
    uncommitted: HashMap<i32, i64>,
    committed: Instant,
}

/// What is there at the start, where only that is read.
#[derive(Debug, Default)]
pub struct Ends {
    /// By partition; none before somebody has asked.
    partitions: Mutex<Option<HashMap<i32, End>>>,
    reached: CancellationToken,
}

#[derive(Debug)]
struct End {
    /// The next line that is to be read.
    next: i64,
    /// The first that came later.
    end: i64,
}

impl Ends {
    /// Whoever comes first asks.
    fn fill(&self, ask: impl FnOnce() -> Result<HashMap<i32, End>, KafkaError>) -> Result<(), KafkaError> {
        let mut partitions = self.partitions.lock();
        if partitions.is_none() {
            *partitions = Some(ask()?);
        }
        self.look(partitions.as_ref());
        Ok(())
    }

    fn look(&self, partitions: Option<&HashMap<i32, End>>) {
        if partitions.is_some_and(|partitions| partitions.values().all(|end| end.next >= end.end)) {
            self.reached.cancel();
        }
    }

    /// A line was read. Whether it is one of those that are wanted.
    fn read(&self, partition: i32, offset: i64) -> bool {
        let mut partitions = self.partitions.lock();
        let end = partitions.get_or_insert_default().entry(partition).or_insert(End { next: 0, end: 0 });
        end.next = end.next.max(offset + 1);
        let is_wanted = offset < end.end;
        if end.next >= end.end {
            self.look(partitions.as_ref());
        }
        is_wanted
    }
}

/// Keeps what the client tells of itself.
#[derive(Debug, Default)]
struct Context {
    lag: Mutex<Vec<(i32, i64)>>,
    heard: Heard,
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

impl ConsumerContext for Context {}

impl std::fmt::Debug for KafkaTopic {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "KafkaTopic({})", self.topic)
    }
}

impl KafkaTopic {
    /// Joins the group. Brokers that can't be reached at the start are an error; later they are waited for.
    pub fn open(wanted: &Wanted, properties: &Properties) -> Result<Self, Error> {
        let name = format!("kafka://{}/{}", wanted.brokers, wanted.topic);
        let (consumer, exists) = connected(wanted, properties).map_err(|unusable| match unusable {
            Unusable { denied: true, message } => Error::Denied { name: name.clone(), message },
            Unusable { message, .. } => Error::Refused { name: name.clone(), message },
        })?;
        if !exists {
            tracing::warn!(topic = wanted.topic, "there is no such topic yet; it is waited for");
        }
        let topic: Arc<str> = wanted.topic.as_str().into();
        let known = Arc::new(Message::from_iter([("topic", Value::text(&*topic))]));
        let ends = wanted.once.clone();
        Ok(Self { consumer, topic, known, ends, uncommitted: HashMap::new(), committed: Instant::now() })
    }

    /// The message as a line; none where it came after what is to be read.
    fn line(topic: &Arc<str>, known: &Arc<Message>, ends: Option<&Ends>, message: &BorrowedMessage<'_>) -> Option<Raw> {
        let (partition, offset) = (message.partition(), message.offset());
        if ends.is_some_and(|ends| !ends.read(partition, offset)) {
            return None;
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

    /// Commits what is acknowledged of the partitions that are this member's now. The others keep for the end: until then whoever has them commits them.
    fn commit_ours(&mut self) -> Result<(), KafkaError> {
        self.committed = Instant::now();
        let assigned = self.consumer.assignment()?;
        let is_ours = |partition: i32| assigned.find_partition(&self.topic, partition).is_some();
        let ours = self.offsets(|partition, _| is_ours(partition))?;
        if ours.count() > 0 {
            self.consumer.commit(&ours, CommitMode::Async)?;
        }
        self.uncommitted.retain(|partition, _| !is_ours(*partition));
        Ok(())
    }

    /// Commits all that is acknowledged, unless somebody has committed more since.
    fn commit_all(&mut self) -> Result<(), KafkaError> {
        if self.uncommitted.is_empty() {
            return Ok(());
        }
        let known = self.consumer.committed_offsets(self.offsets(|_, _| true)?, PATIENCE)?;
        let is_behind = |partition: i32, next: i64| match known.find_partition(&self.topic, partition) {
            Some(element) => !matches!(element.offset(), Offset::Offset(known) if known >= next),
            None => true,
        };
        let offsets = self.offsets(is_behind)?;
        if offsets.count() > 0 {
            self.consumer.commit(&offsets, CommitMode::Sync)?;
        }
        self.uncommitted.clear();
        Ok(())
    }

    /// The next lines of the partitions for which this holds.
    fn offsets(&self, wanted: impl Fn(i32, i64) -> bool) -> Result<TopicPartitionList, KafkaError> {
        let mut offsets = TopicPartitionList::new();
        for (&partition, &offset) in &self.uncommitted {
            if wanted(partition, offset + 1) {
                offsets.add_partition_offset(&self.topic, partition, Offset::Offset(offset + 1))?;
            }
        }
        Ok(offsets)
    }
}

/// A member of the group, and whether the topic is there.
fn connected(wanted: &Wanted, properties: &Properties) -> Result<(StreamConsumer<Context>, bool), Unusable> {
    let mut config = properties.client(&wanted.brokers, DEFAULTS);
    config
        .set("group.id", &wanted.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", if wanted.earliest { "earliest" } else { "latest" });
    let consumer: StreamConsumer<Context> = config.create_with_context(Context::default())?;
    let metadata = reach(consumer.client(), &wanted.topic, &consumer.context().heard, || {
        // Before it is subscribed there is nothing to be received but what the client says.
        let _ = consumer.recv().now_or_never();
    })?;
    let partitions: Vec<i32> =
        metadata.topics().iter().flat_map(|topic| topic.partitions()).map(|partition| partition.id()).collect();
    if let Some(ends) = &wanted.once {
        ends.fill(|| ask_ends(&consumer, wanted, &partitions))?;
    }
    consumer.subscribe(&[&wanted.topic])?;
    Ok((consumer, !partitions.is_empty()))
}

/// Where each partition begins for the group, and ends now.
fn ask_ends(
    consumer: &StreamConsumer<Context>,
    wanted: &Wanted,
    partitions: &[i32],
) -> Result<HashMap<i32, End>, KafkaError> {
    let mut asked = TopicPartitionList::new();
    let mut ends = HashMap::new();
    for &partition in partitions {
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
        let reached = async {
            match &self.ends {
                Some(ends) => ends.reached.cancelled().await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(reached);
        loop {
            let mut lines = Vec::new();
            let first = tokio::select! {
                biased;
                () = &mut reached => return Ok(None),
                first = self.consumer.recv() => first,
            };
            let first = match first {
                Ok(message) => message,
                Err(error) => {
                    // The client goes on by itself: brokers come back, topics are made.
                    tracing::warn!(topic = &*self.topic, %error, "reading is tried again");
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
            };
            let line =
                |message: &BorrowedMessage<'_>| Self::line(&self.topic, &self.known, self.ends.as_deref(), message);
            lines.extend(line(&first));
            while lines.len() < BATCH {
                let Some(Ok(message)) = self.consumer.recv().now_or_never() else { break };
                lines.extend(line(&message));
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
            && let Err(error) = self.commit_ours()
        {
            tracing::debug!(topic = &*self.topic, %error, "not committed");
        }
    }

    async fn close(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + LAST_COMMIT;
        while let Err(error) = self.commit_all() {
            if Instant::now() >= deadline {
                tracing::warn!(topic = &*self.topic, %error, "the last lines are not committed; they are read again next time");
                return Ok(());
            }
            // Other workers come to their end too, and the group shares out its partitions anew: the client takes part in that only while it is asked.
            let _ = tokio::time::timeout(AGAIN, self.consumer.recv()).await;
        }
        Ok(())
    }

    fn lag(&self) -> Vec<(i32, i64)> {
        self.consumer.context().lag.lock().clone()
    }
}
