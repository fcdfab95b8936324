//! A topic that documents are written to, as JSON under their guid.
//!
//! Brokers that are away are waited for by Kafka's client itself, without an end: it alone knows which records may have come through, and sends none of them twice. Here
//! only what certainly was not written is sent again.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer, PurgeConfig};
use rdkafka::util::Timeout;
use rdkafka::{ClientConfig, ClientContext};

use super::{Document, Error, LastTries, Rejected, Sink};
use crate::event::Raw;
use crate::kafka::{GUID_HEADER, Heard, Properties, Unusable, reach};

/// How long to wait before trying again.
const WAIT: Duration = Duration::from_secs(1);

/// How often is said that records wait.
const TELLS: Duration = Duration::from_secs(10);
/// What holds where a file of settings says nothing else.
const DEFAULTS: &[(&str, &str)] =
    &[("linger.ms", "5"), ("compression.type", "zstd"), ("queue.buffering.max.messages", "1000000")];
/// What holds whatever the file says: no record is sent twice, and each is tried without an end, which for a time is 0.
const ALWAYS: [(&str, &str); 3] =
    [("enable.idempotence", "true"), ("message.timeout.ms", "0"), ("message.send.max.retries", "2147483647")];
/// Other names of these.
const ALIASES: [&str; 2] = ["delivery.timeout.ms", "retries"];

/// Keeps what the client tells of itself.
#[derive(Debug, Clone, Default)]
struct Context(Arc<Heard>);

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, _: &str, text: &str) {
        self.0.log(level, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(&error, reason);
    }
}

/// See the module.
pub struct KafkaWriter {
    producer: FutureProducer<Context>,
    heard: Arc<Heard>,
    topic: String,
    name: String,
    tries: LastTries,
}

impl std::fmt::Debug for KafkaWriter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "KafkaWriter({})", self.name)
    }
}

impl KafkaWriter {
    /// Connects. Brokers that can't be reached at the start are an error; later they are waited for.
    pub fn connect(brokers: &str, topic: &str, properties: &Properties, tries: LastTries) -> Result<Self, Error> {
        let name = format!("kafka://{brokers}/{topic}");
        let heard = Context::default();
        let connected = || -> Result<FutureProducer<Context>, Unusable> {
            let config = settings(brokers, properties);
            let producer: FutureProducer<Context> = config.create_with_context(heard.clone())?;
            // The producer has a thread that lets the client speak.
            reach(producer.client(), topic, &heard.0, || ())?;
            Ok(producer)
        };
        let producer = connected().map_err(|unusable| match unusable {
            Unusable { denied: true, message } => Error::Denied { name: name.clone(), message },
            Unusable { message, .. } => Error::Refused { name: name.clone(), message },
        })?;
        Ok(Self { producer, heard: heard.0, topic: topic.to_owned(), name, tries })
    }
}

fn settings(brokers: &str, properties: &Properties) -> ClientConfig {
    let mut config = properties.client(brokers, DEFAULTS);
    for name in ALIASES {
        config.remove(name);
    }
    for (name, value) in ALWAYS {
        config.set(name, value);
    }
    config
}

/// What becomes a record.
struct Record<'a> {
    guid: Cow<'a, str>,
    payload: Cow<'a, [u8]>,
    /// Whether the record says its guid in a header.
    says_guid: bool,
    /// The record's time, where it is not the present.
    came_ms: Option<i64>,
}

/// What is to be done about a record that was not delivered.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// No second try can mend it.
    Reject,
    /// It was not written, and is sent again.
    Again,
    /// It may have been written, or nothing can be sent any more.
    GiveUp,
}

impl KafkaWriter {
    /// Sends all of them, for as long as it takes. What is given up is dropped, lest it go out while the program ends.
    async fn send(&self, records: &[Record<'_>]) -> Result<Vec<Rejected>, Error> {
        let Some(sent) = self.tries.until_given_up(self.try_send(records)).await else {
            self.producer.purge(PurgeConfig::default().queue().inflight());
            let why = self.heard.why().unwrap_or_else(|| "the brokers do not answer".into());
            return Err(self.given_up(&why, records.len()));
        };
        sent
    }

    async fn try_send(&self, records: &[Record<'_>]) -> Result<Vec<Rejected>, Error> {
        let mut rejected = Vec::new();
        let mut waiting: Vec<usize> = (0..records.len()).collect();
        loop {
            let mut again = Vec::new();
            let mut last = None;
            for (index, result) in self.try_once(records, &waiting).await {
                let Err(error) = result else { continue };
                match verdict(&error) {
                    Verdict::Reject => rejected.push(Rejected { index, reason: error.to_string() }),
                    Verdict::Again => {
                        again.push(index);
                        last = Some(error);
                    }
                    Verdict::GiveUp => return Err(self.given_up(&error.to_string(), waiting.len())),
                }
            }
            let Some(error) = last else { return Ok(rejected) };
            tracing::warn!(sink = self.name, documents = again.len(), %error, "writing is tried again");
            waiting = again;
            tokio::time::sleep(WAIT).await;
        }
    }

    /// Sends these, and says so where it takes long.
    async fn try_once(&self, records: &[Record<'_>], which: &[usize]) -> Vec<(usize, Result<(), KafkaError>)> {
        let wanted = which.iter().filter_map(|index| Some((*index, records.get(*index)?)));
        let sends = wanted.map(async |(index, one)| {
            let guid = one.guid.as_bytes();
            let mut record = FutureRecord::to(&self.topic).key(guid).payload(&*one.payload);
            if let Some(came) = one.came_ms {
                record = record.timestamp(came);
            }
            if one.says_guid {
                let header = Header { key: GUID_HEADER, value: Some(guid) };
                record = record.headers(OwnedHeaders::new().insert(header));
            }
            (index, self.producer.send(record, Timeout::Never).await.map(drop).map_err(|(error, _)| error))
        });
        let mut sends = std::pin::pin!(join_all(sends));
        loop {
            match tokio::time::timeout(TELLS, &mut sends).await {
                Ok(sent) => return sent,
                Err(_) => {
                    let (documents, error) = (which.len(), self.heard.why().unwrap_or_default());
                    tracing::warn!(sink = self.name, documents, error, "writing is tried again");
                }
            }
        }
    }

    fn given_up(&self, why: &str, records: usize) -> Error {
        let message = format!("{why}; what is not written of {records} documents is read again next time");
        Error::Refused { name: self.name.clone(), message }
    }
}

#[async_trait(?Send)]
impl Sink for KafkaWriter {
    async fn write(&self, documents: &[Document]) -> Result<Vec<Rejected>, Error> {
        let record = |document: &Document| Record {
            guid: document.guid.clone().into(),
            payload: document.message.to_json().into(),
            says_guid: false,
            came_ms: None,
        };
        self.send(&documents.iter().map(record).collect::<Vec<_>>()).await
    }

    async fn put_aside(&self, lines: &[Raw]) -> Result<(), Error> {
        let records = lines.iter().map(|raw| Record {
            guid: raw.guid("").into(),
            payload: (&raw.bytes).into(),
            says_guid: true,
            came_ms: raw.came_ms,
        });
        for refused in self.send(&records.collect::<Vec<_>>()).await? {
            // Its document is written nevertheless, without the model's answer.
            tracing::warn!(sink = self.name, reason = refused.reason, "a line can't be put aside");
        }
        Ok(())
    }
}

fn verdict(error: &KafkaError) -> Verdict {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        Some(Code::MessageSizeTooLarge | Code::InvalidMessage | Code::InvalidRecord) => Verdict::Reject,
        // Others of the batch were at fault, or all of them together.
        Some(Code::InvalidDifferentRecord | Code::MessageBatchTooLarge) => Verdict::Again,
        // The topic is gone or not there yet, or this user may not write to it at present.
        Some(
            Code::UnknownTopic
            | Code::UnknownTopicOrPartition
            | Code::UnknownPartition
            | Code::TopicAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::PolicyViolation,
        ) => Verdict::Again,
        // No broker takes it at present.
        Some(Code::QueueFull | Code::LeaderNotAvailable | Code::NotLeaderForPartition | Code::NotEnoughReplicas) => {
            Verdict::Again
        }
        _ => Verdict::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_certainly_was_not_written_is_sent_again() {
        let of = |code| verdict(&KafkaError::MessageProduction(code));
        assert_eq!(of(RDKafkaErrorCode::MessageSizeTooLarge), Verdict::Reject);
        assert_eq!(of(RDKafkaErrorCode::TopicAuthorizationFailed), Verdict::Again);
        assert_eq!(of(RDKafkaErrorCode::UnknownTopic), Verdict::Again);
        assert_eq!(of(RDKafkaErrorCode::MessageTimedOut), Verdict::GiveUp);
        assert_eq!(of(RDKafkaErrorCode::Fatal), Verdict::GiveUp);
        for possibly_written in [
            RDKafkaErrorCode::BrokerTransportFailure,
            RDKafkaErrorCode::RequestTimedOut,
            RDKafkaErrorCode::NotEnoughReplicasAfterAppend,
        ] {
            assert_eq!(of(possibly_written), Verdict::GiveUp);
        }
    }

    #[test]
    fn no_setting_makes_the_client_send_a_record_twice_or_give_it_up() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "enable.idempotence=false\nretries=1\ndelivery.timeout.ms=5\nlinger.ms=7\n";
        std::fs::write(file.path(), text).unwrap();
        let config = settings("h:1", &Properties::from_file(file.path()).unwrap());
        assert_eq!(config.get("enable.idempotence"), Some("true"));
        assert_eq!((config.get("message.timeout.ms"), config.get("delivery.timeout.ms")), (Some("0"), None));
        assert_eq!((config.get("message.send.max.retries"), config.get("retries")), (Some("2147483647"), None));
        assert_eq!(config.get("linger.ms"), Some("7"));
        let producer: Result<FutureProducer<Context>, _> = config.create_with_context(Context::default());
        assert!(producer.is_ok());
    }
}
