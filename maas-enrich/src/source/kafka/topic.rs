//! A member of the group: gives lines, and commits what is acknowledged.
//!
//! While nothing is asked for, because a sink is away, the member holds its partitions and goes on being one: brokers take the partitions from a member that does not ask
//! for so long as `max.poll.interval.ms`, and the group waits for it when it shares them out anew.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::FutureExt;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use stellar_fns::Value;

use super::context::{Context, pairs};
use super::ends::{End, Ends};
use crate::event::{Place, Raw};
use crate::kafka::{GUID_HEADER, PATIENCE, Properties, Unusable, reach};
use crate::message::Message;
use crate::source::{Error, Source};

/// Lines that are given at once.
const BATCH: usize = 512;
const DEFAULTS: &[(&str, &str)] = &[
    // One that was killed keeps its partitions for so long: the shortest time that brokers allow by default.
    ("session.timeout.ms", "6000"),
    ("heartbeat.interval.ms", "1500"),
    // A topic that is made later, and a partition that is added, are found so soon.
    ("topic.metadata.refresh.interval.ms", "10000"),
];
/// Bytes of a guid that a record brings with it.
const LONGEST_GUID: usize = 128;
/// How long the brokers may take to say what the group has committed: where nobody asked before, they must first make what they keep that in.
const COORDINATOR: Duration = Duration::from_secs(30);
/// How often offsets are committed at most, and after one that was refused.
const COMMITS: Duration = Duration::from_millis(200);
const COMMITS_AFTER_REFUSAL: Duration = Duration::from_secs(1);
/// How long nothing must have been asked for before the partitions are held: what the client has ahead of its reader is fetched again after that.
const HOLDS_AFTER: Duration = Duration::from_secs(1);
/// The longest time that a member may not ask.
const POLLS: &str = "max.poll.interval.ms";
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
    /// What came although nothing was asked for.
    kept: Vec<Raw>,
    /// When lines were last asked for, and after which time without that the partitions are held.
    asked: Instant,
    holds_after: Duration,
    committed: Instant,
}

impl std::fmt::Debug for KafkaTopic {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "KafkaTopic({})", self.topic)
    }
}

impl KafkaTopic {
    /// Joins the group. Brokers that can't be reached at the start are an error; later they are waited for.
    pub fn open(wanted: &Wanted, properties: &Properties) -> Result<Self, Error> {
        let name = format!("kafka://{}/{}", wanted.brokers, wanted.topic);
        let (consumer, exists, holds_after) = connected(wanted, properties).map_err(|unusable| match unusable {
            Unusable { denied: true, message } => Error::Denied { name: name.clone(), message },
            Unusable { message, .. } => Error::Refused { name: name.clone(), message },
        })?;
        if !exists {
            tracing::warn!(topic = wanted.topic, "there is no such topic yet; it is waited for");
        }
        let topic: Arc<str> = wanted.topic.as_str().into();
        let known = Arc::new(Message::from_iter([("topic", Value::text(&*topic))]));
        let (ends, now) = (wanted.once.clone(), Instant::now());
        Ok(Self { consumer, topic, known, ends, kept: Vec::new(), asked: now, holds_after, committed: now })
    }

    /// The message as a line; none where it came after what is to be read.
    fn line(&self, message: &BorrowedMessage<'_>) -> Option<Raw> {
        let (partition, offset) = (message.partition(), message.offset());
        let tenure = self.consumer.context().ledger.lock().read(partition, offset);
        if self.ends.as_ref().is_some_and(|ends| !ends.read(partition, offset)) {
            return None;
        }
        // A key that is a JSON object describes the message.
        let key = message.key().filter(|key| key.first() == Some(&b'{')).and_then(|key| Message::from_json(key).ok());
        let metadata = Some(key.map_or_else(
            || self.known.clone(),
            |key| {
                let mut metadata = Message::clone(&self.known);
                metadata.extend(key);
                Arc::new(metadata)
            },
        ));
        let place = Place::Topic { topic: self.topic.clone(), partition, offset, tenure };
        let given_guid = message.headers().and_then(|headers| {
            let given = headers.iter().find(|header| header.key == GUID_HEADER)?.value?;
            let is_guid = given.len() <= LONGEST_GUID && given.iter().all(u8::is_ascii_graphic);
            is_guid.then(|| String::from_utf8_lossy(given).into_owned())
        });
        let came_ms = message.timestamp().to_millis();
        Some(Raw { bytes: message.payload().unwrap_or_default().to_vec(), place, metadata, came_ms, given_guid })
    }

    /// What comes next; none where a commit is due before.
    async fn receive(&self) -> Option<Result<BorrowedMessage<'_>, KafkaError>> {
        tokio::select! {
            biased;
            () = sleep_until(self.commits_at()) => None,
            received = self.consumer.recv() => Some(received),
        }
    }

    /// What was received: lines, or that there are none. Gives what went wrong.
    fn take(&self, received: Result<BorrowedMessage<'_>, KafkaError>, lines: &mut Vec<Raw>) -> Result<(), KafkaError> {
        match received {
            Ok(message) => lines.extend(self.line(&message)),
            Err(KafkaError::PartitionEOF(partition)) => {
                if let Some(ends) = &self.ends {
                    ends.read_all(partition);
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Gives nothing more for a while, though the member goes on asking. False where that can't be had now.
    fn hold(&self) -> bool {
        // Before that: what comes meanwhile is held too.
        self.consumer.context().is_held.store(true, Relaxed);
        let held = self.consumer.assignment().and_then(|ours| self.consumer.pause(&ours));
        if let Err(error) = &held {
            tracing::warn!(topic = &*self.topic, %error, "the partitions can't be held yet");
        }
        held.is_ok()
    }

    /// Gives lines again.
    fn let_go(&self) {
        let context = self.consumer.context();
        if !context.is_held.swap(false, Relaxed) {
            return;
        }
        if let Err(error) = self.consumer.assignment().and_then(|ours| self.consumer.resume(&ours)) {
            context.is_held.store(true, Relaxed);
            tracing::warn!(topic = &*self.topic, %error, "the partitions can't be let go yet");
        }
    }

    /// When the next commit is due; never where there is nothing to be committed.
    fn commits_at(&self) -> Option<Instant> {
        let context = self.consumer.context();
        if !context.ledger.lock().has_due() {
            return None;
        }
        let after_refusal = context.last_refused().map(|refused| refused + COMMITS_AFTER_REFUSAL);
        Some(after_refusal.unwrap_or(self.committed).max(self.committed + COMMITS))
    }

    /// Commits what is acknowledged of the partitions that are this member's now, if it is time. What becomes of it is told later.
    fn commit_if_due(&mut self) {
        if self.commits_at().is_none_or(|at| at > Instant::now()) {
            return;
        }
        self.committed = Instant::now();
        let context = self.consumer.context();
        let due = context.ledger.lock().take_due();
        if let Err(error) = self.list(&due).and_then(|offsets| self.consumer.commit(&offsets, CommitMode::Async)) {
            context.refuse(&error.to_string());
        }
    }

    /// Commits all that is acknowledged, unless somebody has committed more since.
    fn commit_all(&mut self) -> Result<(), KafkaError> {
        let context = self.consumer.context();
        let open = context.ledger.lock().uncommitted();
        if open.is_empty() {
            return Ok(());
        }
        let known = self.consumer.committed_offsets(self.list(&open)?, PATIENCE)?;
        let known: HashMap<i32, i64> = pairs(&known).collect();
        let mut left = open.clone();
        let ledger = context.ledger.lock();
        left.retain(|(partition, next)| ledger.is_behind(*partition, *next, known.get(partition).copied()));
        drop(ledger);
        if !left.is_empty() {
            self.consumer.commit(&self.list(&left)?, CommitMode::Sync)?;
        }
        let mut ledger = context.ledger.lock();
        open.into_iter().for_each(|(partition, next)| ledger.confirmed(partition, next));
        Ok(())
    }

    /// Whether a commit was ever refused.
    #[cfg(test)]
    pub(super) fn was_refused(&self) -> bool {
        self.consumer.context().last_refused().is_some()
    }

    fn list(&self, offsets: &[(i32, i64)]) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::new();
        for (partition, next) in offsets {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(*next))?;
        }
        Ok(list)
    }
}

/// What the file says, but for what the member itself depends on.
fn settings(wanted: &Wanted, properties: &Properties) -> ClientConfig {
    let mut config = properties.client(&wanted.brokers, DEFAULTS);
    config
        .set("group.id", &wanted.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // What became of a commit is told in them and in the log, whose level the binding sets.
        .set("statistics.interval.ms", "2000")
        // Where a partition ends at present is told only where that counts.
        .set("enable.partition.eof", if wanted.once.is_some() { "true" } else { "false" })
        .set("auto.offset.reset", if wanted.earliest { "earliest" } else { "latest" });
    config
}

/// A member of the group, whether the topic is there, and after which time its partitions are to be held.
fn connected(wanted: &Wanted, properties: &Properties) -> Result<(StreamConsumer<Context>, bool, Duration), Unusable> {
    let config = settings(wanted, properties);
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
    Ok((consumer, !partitions.is_empty(), holds_after(&config)))
}

/// Well before the brokers take the partitions away.
fn holds_after(config: &ClientConfig) -> Duration {
    let polls = config.get(POLLS).and_then(|millis| millis.parse().ok()).map(Duration::from_millis);
    polls.map_or(HOLDS_AFTER, |polls| HOLDS_AFTER.min(polls / 4))
}

/// What the group has committed. While its coordinator is being found, or reads what it has kept, it is asked again.
#[expect(
    clippy::disallowed_methods,
    reason = "the calls around it block too, before the worker has anything else to do"
)]
fn committed(consumer: &StreamConsumer<Context>, asked: &TopicPartitionList) -> Result<TopicPartitionList, KafkaError> {
    let end = Instant::now() + COORDINATOR;
    loop {
        match consumer.committed_offsets(asked.clone(), end.saturating_duration_since(Instant::now())) {
            Err(error) if has_no_coordinator_yet(&error) && Instant::now() + AGAIN < end => std::thread::sleep(AGAIN),
            answer => return answer,
        }
    }
}

fn has_no_coordinator_yet(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{CoordinatorLoadInProgress, CoordinatorNotAvailable, NotCoordinator};
    let code = error.rdkafka_error_code();
    code.is_some_and(|code| [CoordinatorLoadInProgress, CoordinatorNotAvailable, NotCoordinator].contains(&code))
}

/// Where each partition begins for the group, and ends now.
fn ask_ends(
    consumer: &StreamConsumer<Context>,
    wanted: &Wanted,
    partitions: &[i32],
) -> Result<HashMap<i32, End>, KafkaError> {
    let mut asked = TopicPartitionList::new();
    for &partition in partitions {
        asked.add_partition(&wanted.topic, partition);
    }
    let committed: HashMap<i32, i64> = pairs(&committed(consumer, &asked)?).collect();
    let mut ends = HashMap::new();
    for &partition in partitions {
        let (low, high) = consumer.fetch_watermarks(&wanted.topic, partition, PATIENCE)?;
        ends.insert(partition, End::of(low, high, committed.get(&partition).copied(), wanted.earliest));
    }
    Ok(ends)
}

async fn sleep_until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

#[async_trait(?Send)]
impl Source for KafkaTopic {
    async fn next(&mut self) -> Result<Option<Vec<Raw>>, Error> {
        let ends = self.ends.clone();
        let reached = async {
            match &ends {
                Some(ends) => ends.reached.cancelled().await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(reached);
        if !self.kept.is_empty() {
            return Ok(Some(std::mem::take(&mut self.kept)));
        }
        self.let_go();
        loop {
            self.asked = Instant::now();
            let received = tokio::select! {
                biased;
                () = &mut reached => return Ok(None),
                received = self.receive() => received,
            };
            let Some(received) = received else {
                self.commit_if_due();
                continue;
            };
            let mut lines = Vec::new();
            let mut trouble = self.take(received, &mut lines).err();
            while lines.len() < BATCH && trouble.is_none() {
                let Some(received) = self.consumer.recv().now_or_never() else { break };
                trouble = self.take(received, &mut lines).err();
            }
            let has_trouble = trouble.is_some();
            if let Some(error) = trouble {
                // The client goes on by itself: brokers come back, topics are made.
                tracing::warn!(topic = &*self.topic, %error, "reading is tried again");
            }
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
            if has_trouble {
                tokio::time::sleep(AGAIN).await;
            }
        }
    }

    async fn attend(&mut self) -> Infallible {
        loop {
            if !self.consumer.context().is_held.load(Relaxed) {
                let holds_at = self.asked + self.holds_after;
                tokio::select! {
                    () = sleep_until(self.commits_at()) => self.commit_if_due(),
                    () = sleep_until(Some(holds_at)) => drop(self.hold()),
                }
                continue;
            }
            // More came than a client that is held has left: it is held again, and not asked before that is done.
            if self.kept.len() >= BATCH && !self.hold() {
                self.commit_if_due();
                tokio::time::sleep(HOLDS_AFTER).await;
                continue;
            }
            let Some(received) = self.receive().await else {
                self.commit_if_due();
                continue;
            };
            let mut lines = Vec::new();
            let taken = self.take(received, &mut lines);
            self.kept.extend(lines);
            if let Err(error) = taken {
                tracing::debug!(topic = &*self.topic, %error, "reading is tried again");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }

    fn acknowledge(&mut self, places: &[Place]) {
        for place in places {
            if let Place::Topic { partition, offset, tenure, .. } = place {
                self.consumer.context().ledger.lock().acknowledge(*partition, *offset, *tenure);
            }
        }
        self.commit_if_due();
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
        self.consumer.context().lag()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_silences_what_the_member_depends_on() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "statistics.interval.ms=0\nenable.auto.commit=true\nsession.timeout.ms=9000\n";
        std::fs::write(file.path(), text).unwrap();
        let (brokers, topic, group) = ("h:1".into(), "t".into(), "g".into());
        let wanted = Wanted { brokers, topic, group, earliest: true, once: None };
        let config = settings(&wanted, &Properties::from_file(file.path()).unwrap());
        assert_eq!(config.get("statistics.interval.ms"), Some("2000"));
        assert_eq!(config.get("enable.auto.commit"), Some("false"));
        assert_eq!(config.get("session.timeout.ms"), Some("9000"));
    }
}
