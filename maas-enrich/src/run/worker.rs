//! The loop: lines from the source through the pipeline to the sinks, many at once, in order, and acknowledged when they are written.
//!
//! Evaluations wait for models side by side; what comes of them is taken in the order of the lines. One batch is written while the next is gathered. Runs on a
//! thread of its own, because evaluations can't change theirs. What is written where is the sinks' affair, which configuration counts `run`'s.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesOrdered, StreamExt};
use stellar_fns::Value;
use thiserror::Error as ThisError;
use tokio::sync::watch;
use tokio::task::unconstrained;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::metrics::Metrics;
use super::models;
use crate::config::{Indexing, Sensor};
use crate::error_record::{ErrorType, Failing, error_record};
use crate::event::{Place, Raw};
use crate::message::Message;
use crate::pipeline::{Observer, Outcome, Pipeline, Stage};
use crate::sink::{self, Document, Sink};
use crate::source::{self, Source};

/// How often it is looked at what waits in the source.
const LOOKS: Duration = Duration::from_secs(1);

/// How the loop works.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Lines that are under way at once; 512.
    pub in_flight: usize,
    /// Documents that are gathered before they are written; 500.
    pub batch_size: usize,
    /// How long a document waits for others before it is written; 500 ms.
    pub batch_age: Duration,
    /// Documents of one write at most; 2,000.
    pub largest_batch: usize,
    /// Which of the workers this is.
    pub worker: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self { in_flight: 512, batch_size: 500, batch_age: Duration::from_millis(500), largest_batch: 2_000, worker: 0 }
    }
}

impl Policy {
    /// With what the sensor's indexing configuration says of batches.
    fn of(self, sensor: &Sensor) -> Self {
        let Indexing { batch_size, batch_timeout, .. } = &sensor.indexing;
        let batch_age = batch_timeout.map_or(self.batch_age, Duration::from_secs);
        let batch_size = batch_size.unwrap_or(self.batch_size);
        Self { batch_size, batch_age, largest_batch: self.largest_batch.max(batch_size), ..self }
    }
}

/// Why the loop ended before the end.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The source failed.
    #[error("the source failed")]
    Source(#[from] source::Error),
    /// A sink failed.
    #[error("the sink failed")]
    Sink(#[from] sink::Error),
}

/// Where the loop writes.
#[derive(Clone)]
pub struct Sinks {
    /// Documents.
    pub documents: Rc<dyn Sink>,
    /// Error records.
    pub errors: Rc<dyn Sink>,
    /// Lines whose model was gone, if they are to be kept.
    pub retry: Option<Rc<dyn Sink>>,
}

impl Sinks {
    /// Writes from now on as this configuration says.
    fn configure(&self, sensor: &Sensor) {
        for sink in [Some(&self.documents), Some(&self.errors), self.retry.as_ref()].into_iter().flatten() {
            if let Err(error) = sink.configure(sensor) {
                tracing::error!(sensor = sensor.name, %error, "documents are written as before");
            }
        }
    }
}

/// A batch on its way to the sinks; gives what may be acknowledged.
type Writing = Pin<Box<dyn Future<Output = Result<Vec<Place>, sink::Error>>>>;

/// What is gathered to be written.
#[derive(Default)]
struct Batch {
    documents: Vec<(Document, Rc<Raw>)>,
    errors: Vec<Document>,
    /// Lines to be read again.
    again: Vec<Raw>,
    /// The last line of each partition whose results are in here or before.
    places: HashMap<(Arc<str>, i32), Place>,
    /// When the first came in.
    since: Option<Instant>,
}

/// Works until the source ends or is told to stop, and everything that was read is written.
pub async fn work(
    source: &mut dyn Source,
    sinks: &Sinks,
    pipelines: watch::Receiver<Arc<Pipeline>>,
    metrics: &Arc<Metrics>,
    policy: Policy,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let mut under_way = FuturesOrdered::new();
    let mut batch = Batch::default();
    let mut writing: Option<Writing> = None;
    let mut open = true;
    let mut current = Current::new(pipelines, policy);
    let mut looks = tokio::time::interval(LOOKS);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while open || !under_way.is_empty() || !batch.is_empty() || writing.is_some() {
        current.look(sinks);
        let policy = current.policy;
        let ends = !open && under_way.is_empty();
        if writing.is_none() && batch.is_due(&policy, ends) {
            let full = std::mem::take(&mut batch);
            writing = Some(Box::pin(write(full, sinks.clone(), current.pipeline.clone(), metrics.clone())));
        }
        // A time beyond all clocks never comes.
        let wake = batch.since.and_then(|since| since.checked_add(policy.batch_age));
        let is_wanted = open && under_way.len() < policy.in_flight;
        tokio::select! {
            written = poll(&mut writing), if writing.is_some() => {
                writing = None;
                source.acknowledge(&written?);
            }
            Some((raw, outcome, unanswered)) = under_way.next(), if !under_way.is_empty() && batch.len() < policy.largest_batch => {
                batch.take(raw, outcome, unanswered, metrics);
                // What is ready already needs no further look at everything else.
                while batch.len() < policy.largest_batch {
                    let Some(Some((raw, outcome, unanswered))) = under_way.next().now_or_never() else { break };
                    batch.take(raw, outcome, unanswered, metrics);
                }
            }
            lines = next_or_attend(source, is_wanted) => match lines? {
                None => open = false,
                Some(lines) => {
                    metrics.read(lines.len());
                    current.look(sinks);
                    for raw in lines {
                        let (pipeline, metrics) = (current.pipeline.clone(), metrics.clone());
                        let notes = sinks.retry.is_some();
                        under_way.push_back(async move {
                            let mut timed = Timed(&metrics);
                            // Each evaluation ends in a bounded time. Were it made to yield in between, as tasks are
                            // that find much ready, its stack would be kept and the next one would need another.
                            let process = unconstrained(pipeline.process(&raw, &mut timed));
                            let (outcome, unanswered) =
                                if notes { models::noting(process).await } else { (process.await, false) };
                            (raw, outcome, unanswered)
                        });
                    }
                }
            },
            () = stop.cancelled(), if open => open = false,
            () = sleep_until(wake), if wake.is_some() && writing.is_none() => {}
            _ = looks.tick() => metrics.set_lag(policy.worker, &source.lag()),
        }
    }
    source.close().await?;
    metrics.set_lag(policy.worker, &source.lag());
    Ok(())
}

/// Lines where they are wanted; else the source does meanwhile what it must.
async fn next_or_attend(source: &mut dyn Source, is_wanted: bool) -> Result<Option<Vec<Raw>>, source::Error> {
    if is_wanted {
        return source.next().await;
    }
    match source.attend().await {}
}

/// The configuration that counts now.
struct Current {
    pipelines: watch::Receiver<Arc<Pipeline>>,
    pipeline: Arc<Pipeline>,
    /// What counts where the configuration says nothing.
    base: Policy,
    policy: Policy,
}

impl Current {
    fn new(mut pipelines: watch::Receiver<Arc<Pipeline>>, base: Policy) -> Self {
        let pipeline = pipelines.borrow_and_update().clone();
        let policy = base.of(pipeline.sensor());
        Self { pipelines, pipeline, base, policy }
    }

    /// Takes over a configuration that was changed.
    fn look(&mut self, sinks: &Sinks) {
        // An Err says that there will be no other one.
        if self.pipelines.has_changed().unwrap_or(false) {
            self.pipeline = self.pipelines.borrow_and_update().clone();
            self.policy = self.base.of(self.pipeline.sensor());
            sinks.configure(self.pipeline.sensor());
        }
    }
}

async fn poll<T>(future: &mut Option<Pin<Box<dyn Future<Output = T>>>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// Writes a batch; what the sink refuses becomes error records. Gives the places that may be acknowledged.
async fn write(
    batch: Batch,
    sinks: Sinks,
    pipeline: Arc<Pipeline>,
    metrics: Arc<Metrics>,
) -> Result<Vec<Place>, sink::Error> {
    let (documents, raws): (Vec<Document>, Vec<Rc<Raw>>) = batch.documents.into_iter().unzip();
    let mut errors = batch.errors;
    let mut refused = 0;
    if !documents.is_empty() && pipeline.sensor().indexing.enabled {
        let started = Instant::now();
        for rejected in sinks.documents.write(&documents).await? {
            let Some(raw) = raws.get(rejected.index) else { continue };
            let now = jiff::Timestamp::now().as_millisecond();
            let guid = documents.get(rejected.index).map_or("", |document| &document.guid);
            let failing = Failing { kind: ErrorType::Indexing, part: "", message: guid };
            let record = error_record(failing, &pipeline.sensor().name, raw, &rejected, now);
            errors.push(document(record, raw));
            refused += 1;
        }
        metrics.wrote(documents.len() - refused, refused, started.elapsed());
    }
    if !errors.is_empty() {
        for refused in sinks.errors.write(&errors).await? {
            // There is no other place for it.
            let guid = errors.get(refused.index).map_or("", |record| &record.guid);
            tracing::error!(guid, reason = refused.reason, "an error record was refused");
        }
    }
    if let (Some(retry), false) = (&sinks.retry, batch.again.is_empty()) {
        retry.put_aside(&batch.again).await?;
        metrics.put_aside(batch.again.len());
    }
    Ok(batch.places.into_values().collect())
}

fn document(message: Message, raw: &Raw) -> Document {
    let guid = match message.get("guid") {
        Some(Value::Null) | None => raw.guid(""),
        Some(guid) => guid.to_string(),
    };
    Document { guid, message }
}

impl Batch {
    fn len(&self) -> usize {
        self.documents.len() + self.errors.len()
    }

    fn is_empty(&self) -> bool {
        self.since.is_none()
    }

    /// Whether it is to be written: it is large or old enough, or nothing more comes.
    fn is_due(&self, policy: &Policy, ends: bool) -> bool {
        let is_old = self.since.is_some_and(|since| since.elapsed() >= policy.batch_age);
        !self.is_empty() && (ends || is_old || self.len() >= policy.batch_size)
    }

    fn take(&mut self, raw: Raw, outcome: Outcome, unanswered: bool, metrics: &Metrics) {
        self.since.get_or_insert_with(Instant::now);
        let partition = match &raw.place {
            Place::Topic { topic, partition, .. } => (topic.clone(), *partition),
            Place::File { identity, .. } => (identity.clone(), 0),
        };
        self.places.insert(partition, raw.place.clone());
        if outcome.message.is_none() && outcome.errors.is_empty() {
            metrics.dropped();
        }
        for (stage, record) in outcome.errors {
            metrics.failed(stage);
            self.errors.push(document(record, &raw));
        }
        if unanswered {
            self.again.push(raw.clone());
        }
        if outcome.more.is_empty() {
            self.documents.extend(outcome.message.map(|message| (document(message, &raw), Rc::new(raw))));
            return;
        }
        let raw = Rc::new(raw);
        for message in outcome.message.into_iter().chain(outcome.more) {
            self.documents.push((document(message, &raw), raw.clone()));
        }
    }
}

/// Counts stages and how long they take.
struct Timed<'a>(&'a Metrics);

impl Observer for Timed<'_> {
    fn done(&mut self, stage: Stage, _: &Message, took: Duration) {
        self.0.stage(stage, took);
    }
}
