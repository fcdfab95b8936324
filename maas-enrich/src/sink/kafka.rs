//! A topic that documents are written to, as JSON under their guid.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use tokio_util::sync::CancellationToken;

use super::{Document, Error, Rejected, Sink};
use crate::event::Raw;
use crate::kafka::{GUID_HEADER, Heard, Properties, Unusable, reach};

/// How long to wait before trying again.
const WAIT: Duration = Duration::from_secs(1);

/// How long a record that brokers don't take is kept by the client before it is told and sent again, milliseconds. One that is told to end waits so long.
const UNSENT: &str = "10000";

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
    topic: String,
    name: String,
    stop: CancellationToken,
}

impl std::fmt::Debug for KafkaWriter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "KafkaWriter({})", self.name)
    }
}

impl KafkaWriter {
    /// Connects. Brokers that can't be reached at the start are an error; later they are waited for.
    pub fn connect(
        brokers: &str,
        topic: &str,
        properties: &Properties,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        let name = format!("kafka://{brokers}/{topic}");
        let defaults = [
            ("enable.idempotence", "true"),
            ("linger.ms", "5"),
            ("compression.type", "zstd"),
            ("queue.buffering.max.messages", "1000000"),
            ("message.timeout.ms", UNSENT),
        ];
        let connected = || -> Result<FutureProducer<Context>, Unusable> {
            let heard = Context::default();
            let config = properties.client(brokers, &defaults);
            let producer: FutureProducer<Context> = config.create_with_context(heard.clone())?;
            // The producer has a thread that lets the client speak.
            reach(producer.client(), topic, &heard.0, || ())?;
            Ok(producer)
        };
        let producer = connected().map_err(|unusable| match unusable {
            Unusable { denied: true, message } => Error::Denied { name: name.clone(), message },
            Unusable { message, .. } => Error::Refused { name: name.clone(), message },
        })?;
        Ok(Self { producer, topic: topic.to_owned(), name, stop })
    }
}

/// What becomes a record.
struct Record<'a> {
    guid: Cow<'a, str>,
    payload: Cow<'a, [u8]>,
    /// Whether the record says its guid in a header.
    says_guid: bool,
}

impl KafkaWriter {
    /// Sends all of them, those that fail again for as long as it takes.
    async fn send(&self, records: &[Record<'_>]) -> Result<Vec<Rejected>, Error> {
        let mut rejected = Vec::new();
        let mut waiting: Vec<usize> = (0..records.len()).collect();
        loop {
            let sent = waiting.iter().filter_map(|index| Some((*index, records.get(*index)?)));
            let sends = sent.map(async |(index, one)| {
                let guid = one.guid.as_bytes();
                let mut record = FutureRecord::to(&self.topic).key(guid).payload(&*one.payload);
                if one.says_guid {
                    let header = Header { key: GUID_HEADER, value: Some(guid) };
                    record = record.headers(OwnedHeaders::new().insert(header));
                }
                (index, self.producer.send(record, Duration::from_secs(60)).await)
            });
            let mut again = Vec::new();
            let mut last = None;
            for (index, result) in join_all(sends).await {
                match result {
                    Ok(_) => {}
                    Err((error, _)) if is_final(&error) => rejected.push(Rejected { index, reason: error.to_string() }),
                    Err((error, _)) => {
                        again.push(index);
                        last = Some(error);
                    }
                }
            }
            let Some(error) = last else { return Ok(rejected) };
            if self.stop.is_cancelled() {
                return Err(Error::Refused { name: self.name.clone(), message: error.to_string() });
            }
            tracing::warn!(sink = self.name, documents = again.len(), %error, "writing is tried again");
            waiting = again;
            tokio::time::sleep(WAIT).await;
        }
    }
}

#[async_trait(?Send)]
impl Sink for KafkaWriter {
    async fn write(&self, documents: &[Document]) -> Result<Vec<Rejected>, Error> {
        let record = |document: &'_ Document| Record {
            guid: document.guid.clone().into(),
            payload: document.message.to_json().into(),
            says_guid: false,
        };
        self.send(&documents.iter().map(record).collect::<Vec<_>>()).await
    }

    async fn put_aside(&self, lines: &[Raw]) -> Result<(), Error> {
        let record = |raw| Record { guid: Raw::guid(raw, "").into(), payload: (&raw.bytes).into(), says_guid: true };
        for refused in self.send(&lines.iter().map(record).collect::<Vec<_>>()).await? {
            // Its document is written nevertheless, without the model's answer.
            tracing::warn!(sink = self.name, reason = refused.reason, "a line can't be put aside");
        }
        Ok(())
    }
}

/// What no second try can mend.
fn is_final(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessage | RDKafkaErrorCode::InvalidRecord
        )
    )
}
