//! What one worker reads and writes, made as the options say; then its loop, on its own thread.

use std::rc::Rc;
use std::sync::Arc;

use maas_cli::{ErrorCode, Failure};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::dry;
use super::metrics::Metrics;
use super::options::Options;
use super::worker::{self, Policy, Sinks, work};
use crate::address::Address;
use crate::pipeline::Pipeline;
use crate::sink::search::{Search, Settings};
use crate::sink::{self, JsonLines, LastTries, Null, Sink};
use crate::source::{self, Lines, Source};

/// What a worker tells.
#[derive(Debug)]
pub(super) enum Word {
    /// Its source and its sinks are there.
    Ready,
    /// It has ended, and so.
    Ended(Result<(), Failure>),
}

/// What a worker's thread needs to make its parts.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    options: Arc<Options>,
    sink: Address,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    /// Which of the workers it is, from 0.
    worker: usize,
    /// Where a topic ends that is read once; the same for all workers.
    #[cfg(feature = "kafka")]
    ends: Arc<crate::source::kafka::Ends>,
}

impl Plan {
    pub(super) fn new(options: Arc<Options>, sink: Address, metrics: Arc<Metrics>, stop: CancellationToken) -> Self {
        Self {
            options,
            sink,
            metrics,
            stop,
            worker: 0,
            #[cfg(feature = "kafka")]
            ends: Arc::default(),
        }
    }

    pub(super) fn of_worker(&self, worker: usize) -> Self {
        Self { worker, ..self.clone() }
    }

    /// Makes source and sinks, says that they are there, and works to the end.
    pub(super) fn work(
        self,
        pipelines: watch::Receiver<Arc<Pipeline>>,
        say: &mpsc::UnboundedSender<Word>,
    ) -> Result<(), Failure> {
        crate::connect::block_on(async move {
            let pipeline = pipelines.borrow().clone();
            let mut source = self.source(&pipeline)?;
            if let Some(lines) = self.options.dry_run {
                let shown = tokio::select! {
                    shown = dry::show(&mut *source, &pipeline, lines, self.options.json) => shown,
                    () = self.stop.cancelled() => return Ok(()),
                };
                shown.map_err(|error| source_failure(&error))?;
                return Ok(());
            }
            let sinks = self.sinks(&pipeline).await?;
            // Nobody listens any more only where the program is ending.
            let _ = say.send(Word::Ready);
            let policy = Policy { in_flight: self.options.in_flight, worker: self.worker, ..Policy::default() };
            match work(&mut *source, &sinks, pipelines, &self.metrics, policy, &self.stop).await {
                // Whoever reads has enough.
                Ok(()) | Err(worker::Error::Sink(sink::Error::Closed)) => Ok(()),
                Err(worker::Error::Source(error)) => Err(source_failure(&error)),
                Err(worker::Error::Sink(error)) => Err(sink_failure(&error)),
            }
        })?
    }

    fn source(&self, pipeline: &Pipeline) -> Result<Box<dyn Source>, Failure> {
        let lines = match &self.options.source {
            Address::File(path) => Lines::file(path, self.options.once || self.options.dry_run.is_some()),
            Address::Standard => Lines::standard_input(),
            Address::Kafka { brokers, topic } => {
                let topic = topic_of(topic.as_deref(), pipeline.sensor().parser.topic.as_deref(), &self.options.sensor);
                return self.kafka_source(brokers, topic);
            }
            other => {
                let message = format!("--source {other} can't be read from; kafka://HOST:PORT/TOPIC, file:PATH or -");
                return Err(Failure::new(ErrorCode::Usage, message));
            }
        };
        Ok(Box::new(lines.map_err(|error| source_failure(&error))?))
    }

    #[cfg(feature = "kafka")]
    fn kafka_source(&self, brokers: &str, topic: &str) -> Result<Box<dyn Source>, Failure> {
        let wanted = crate::source::kafka::Wanted {
            brokers: brokers.to_owned(),
            topic: topic.to_owned(),
            group: group(&self.options, topic),
            earliest: self.options.from == super::options::From::Earliest,
            once: self.options.once.then(|| self.ends.clone()),
        };
        let opened = crate::source::kafka::KafkaTopic::open(&wanted, &self.properties()?);
        Ok(Box::new(opened.map_err(|error| source_failure(&error))?))
    }

    #[cfg(not(feature = "kafka"))]
    fn kafka_source(&self, _: &str, _: &str) -> Result<Box<dyn Source>, Failure> {
        Err(without_kafka())
    }

    #[cfg(feature = "kafka")]
    fn kafka_sink(&self, brokers: &str, topic: &str, tries: &LastTries) -> Result<Rc<dyn Sink>, Failure> {
        let connected = sink::kafka::KafkaWriter::connect(brokers, topic, &self.properties()?, tries.clone());
        Ok(Rc::new(connected.map_err(|error| sink_failure(&error))?))
    }

    #[cfg(not(feature = "kafka"))]
    fn kafka_sink(&self, _: &str, _: &str, _: &LastTries) -> Result<Rc<dyn Sink>, Failure> {
        Err(without_kafka())
    }

    #[cfg(feature = "kafka")]
    fn properties(&self) -> Result<crate::kafka::Properties, Failure> {
        let file = self.options.kafka_config.as_deref();
        let properties = file.map(crate::kafka::Properties::from_file).transpose()?.unwrap_or_default();
        Ok(properties.of_worker(self.worker))
    }

    async fn sinks(&self, pipeline: &Pipeline) -> Result<Sinks, Failure> {
        if self.options.json && (self.sink == Address::Standard || self.options.errors == Some(Address::Standard)) {
            let message = "--json says on stdout what happens; documents can't go there too: give --sink file:PATH";
            return Err(Failure::new(ErrorCode::Usage, message));
        }
        let tries = LastTries::after(self.stop.clone());
        let documents = self.open(&self.sink, pipeline, false, &tries).await?;
        let errors: Rc<dyn Sink> = match &self.options.errors {
            Some(address) => self.open(address, pipeline, true, &tries).await?,
            None if matches!(self.sink, Address::Search(_)) => self.open(&self.sink, pipeline, true, &tries).await?,
            None => Rc::new(JsonLines::standard_error(self.stop.clone()).map_err(|error| sink_failure(&error))?),
        };
        let retry = match &self.options.retry {
            None => None,
            Some(address @ (Address::Kafka { topic: Some(_), .. } | Address::File(_) | Address::Null)) => {
                Some(self.open(address, pipeline, false, &tries).await?)
            }
            Some(other) => {
                let message = format!("--retry {other} can't take lines; kafka://HOST:PORT/TOPIC or file:PATH");
                return Err(Failure::new(ErrorCode::Usage, message));
            }
        };
        Ok(Sinks { documents, errors, retry })
    }

    async fn open(
        &self,
        address: &Address,
        pipeline: &Pipeline,
        for_errors: bool,
        tries: &LastTries,
    ) -> Result<Rc<dyn Sink>, Failure> {
        let sensor = pipeline.sensor();
        Ok(match address {
            Address::Null => Rc::new(Null),
            Address::Standard => {
                Rc::new(JsonLines::standard_output(self.stop.clone()).map_err(|error| sink_failure(&error))?)
            }
            Address::File(path) => {
                Rc::new(JsonLines::file(path, self.stop.clone()).map_err(|error| sink_failure(&error))?)
            }
            Address::Search(url) => {
                let settings = if for_errors { Settings::errors(sensor) } else { Settings::documents(sensor) };
                let connected = Search::connect(url, settings, tries.clone()).await;
                Rc::new(connected.map_err(|error| sink_failure(&error))?)
            }
            Address::Kafka { brokers, topic } => {
                let parser = &sensor.parser;
                let (configured, default) = if for_errors {
                    (parser.error_topic.as_deref(), "parser_error")
                } else {
                    (parser.output_topic.as_deref(), "indexing")
                };
                self.kafka_sink(brokers, topic_of(topic.as_deref(), configured, default), tries)?
            }
        })
    }
}

/// The consumer group of a topic. A dry run has one that nobody else is in, so that it takes no partition from a pipeline that runs.
pub(super) fn group(options: &Options, topic: &str) -> String {
    let group = options.group.clone().unwrap_or_else(|| format!("{topic}_parser"));
    match options.dry_run {
        Some(_) => format!("{group}_dry_run_{}", Uuid::new_v4()),
        None => group,
    }
}

/// The topic that the address names, else the configuration, else what is customary.
pub(super) fn topic_of<'a>(named: Option<&'a str>, configured: Option<&'a str>, default: &'a str) -> &'a str {
    named.or(configured).unwrap_or(default)
}

#[cfg(not(feature = "kafka"))]
fn without_kafka() -> Failure {
    Failure::new(ErrorCode::Usage, "this program was built without Kafka; build it with --features kafka")
}

fn source_failure(error: &source::Error) -> Failure {
    let code = match error {
        source::Error::Unreadable { .. } => ErrorCode::BadPath,
        source::Error::Denied { .. } => ErrorCode::NotPermitted,
        source::Error::Refused { .. } => ErrorCode::ServerUnreachable,
    };
    Failure::of(code, error)
}

fn sink_failure(error: &sink::Error) -> Failure {
    let code = match error {
        sink::Error::Unwritable { source, .. } if sink::is_full(source) => ErrorCode::NoSpace,
        sink::Error::Unwritable { .. } | sink::Error::Closed => ErrorCode::BadPath,
        sink::Error::Denied { .. } => ErrorCode::NotPermitted,
        sink::Error::Refused { .. } => ErrorCode::ServerUnreachable,
    };
    Failure::of(code, error)
}
