//! From options to a pipeline that runs: ZooKeeper, configuration, models, source, sinks, pages; and how it ends.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use maas_cli::{ErrorCode, Failure};
use maas_client::config::Roots;
use maas_client::tree::SharedTree;
use maas_client::zk::{ZkOptions, ZkTree};
use serde_json::json;
use stellar_fns::Environment;
use stellar_fns::maas::{Logged, Models};
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::http::{self, Shown};
use super::metrics::Metrics;
use super::models::Bounded;
use super::options::Options;
use super::running::{self, Running};
use super::said::Said;
use super::worker::{self, Policy, Sinks, work};
use super::{dry, reload};
use crate::address::Address;
use crate::config::{Files, Global, Sensor};
use crate::connect::tree_failure;
use crate::pipeline::Pipeline;
use crate::sink::search::{Search, Settings};
use crate::sink::{self, JsonLines, Null, Sink};
use crate::source::{self, Lines, Source};
use crate::topology::{self, Changes};

/// Where documents go where nobody says so.
const SINK_VARIABLE: &str = "MAAS_SINK";

/// Runs a pipeline to its end.
pub fn run(options: Options) -> Result<(), Failure> {
    // One thread beside that of the events does for connections: several would wake each other for every answer.
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(ErrorCode::Defect, "can't start").because(&error))?;
    let result = runtime.block_on(started(options));
    // A name that is still being looked up must not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

async fn started(options: Options) -> Result<(), Failure> {
    let said = Said::new(options.json);
    let zookeeper = zookeeper(&options).await?;
    let files = match (&options.config, &zookeeper) {
        (Some(directory), _) => {
            Files::from_directory(directory).map_err(|error| Failure::of(ErrorCode::BadPath, &error))?
        }
        (None, Some((tree, _))) => topology::read_files(tree).await.map_err(|error| topology_failure(&error))?,
        (None, None) => return Err(Failure::new(ErrorCode::NoZookeeper, "give --config DIR or -z HOSTS")),
    };
    if files.get(&format!("parsers/{}.json", options.sensor)).is_none() {
        let known: Vec<&str> = files.sensors().collect();
        let hint = maas_cli::suggest::hint(&options.sensor, known.iter().copied());
        let message = format!("there is no sensor {name}: no parsers/{name}.json{hint}", name = options.sensor);
        let failure = Failure::new(ErrorCode::NoSensor, message);
        return Err(if known.is_empty() {
            failure
        } else {
            failure.with_cause(format!("sensors are {}", known.join(", ")))
        });
    }
    let files = reload::relevant(files, &options.sensor);
    let (sensor, warnings) =
        Sensor::compile(&options.sensor, &files).map_err(|bad| Failure::of(ErrorCode::BadSensor, &bad))?;
    for (file, warning) in &warnings {
        tracing::warn!(file, "{warning}");
    }

    let metrics = Arc::new(Metrics::new(&options.sensor));
    let sink = sink_address(options.sink.clone(), &sensor.global)?;
    let environment = Arc::new(environment(&options, zookeeper.as_ref(), &sensor, &metrics)?);
    let pipeline = Arc::new(Pipeline::new(Arc::new(sensor), environment.clone()));
    let (pipelines, current) = watch::channel(pipeline);
    let stop = CancellationToken::new();
    let plan = Plan { sink: sink.clone(), options: Arc::new(options), metrics: metrics.clone(), stop: stop.clone() };
    let options = plan.options.clone();

    let shown = Shown {
        metrics: metrics.clone(),
        sensor: options.sensor.clone(),
        source: options.source.to_string(),
        sink: sink.to_string(),
    };
    let http = match options.http {
        Some(address) => Some(format!("http://{}", http::serve(address, shown).await?)),
        None => None,
    };

    let (ready, is_ready) = oneshot::channel();
    let (ended, end) = oneshot::channel();
    let thread = std::thread::Builder::new().name("worker".into()).spawn(move || {
        // Nobody waits any more only where the program is ending.
        let _ = ended.send(plan.work(current, ready));
    });
    thread.map_err(|error| Failure::new(ErrorCode::Defect, "can't start a thread").because(&error))?;

    let mut end = std::pin::pin!(end);
    let mut followers = tokio::task::JoinSet::new();
    if options.dry_run.is_none() && is_ready.await.is_ok() {
        let line = format!(
            "{} runs: {} -> {sink}{}",
            options.sensor,
            options.source,
            http.as_deref().map(|http| format!(", {http}")).unwrap_or_default()
        );
        let group = group(&options, current_topic(&pipelines));
        said.event("ready", json!({"sensor": options.sensor, "http": http, "group": group}), &line);
        followers.spawn(said.progress(metrics.clone()));
        if let Some((tree, roots)) = zookeeper.clone() {
            let running = running_here(&options, &sink, http);
            let stop = stop.clone();
            followers.spawn(async move {
                running::show_until_stopped(tree, roots, running).await;
                stop.cancel();
            });
        }
        if let (None, Some((tree, _))) = (&options.config, &zookeeper) {
            let changes = Changes::watch(tree).await.map_err(|error| topology_failure(&error))?;
            followers.spawn(reload::follow(
                tree.clone(),
                changes,
                files,
                pipelines,
                environment,
                metrics.clone(),
                said,
            ));
        }
    }
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let result = loop {
        tokio::select! {
            result = &mut end => break result,
            _ = interrupt.recv() => stop.cancel(),
            _ = terminate.recv() => stop.cancel(),
        }
    };
    followers.shutdown().await;
    if let Some((tree, _)) = &zookeeper {
        tree.close().await;
    }
    result.map_err(|_| Failure::new(ErrorCode::Defect, "the worker ended without a word"))??;
    if options.dry_run.is_none() {
        said.done(&metrics);
    }
    let errors = metrics.progress().errors;
    if options.fail_on_errors && errors > 0 {
        return Err(Failure::new(ErrorCode::ErrorRecords, format!("there were {errors} error records")));
    }
    Ok(())
}

fn listen(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(|error| Failure::new(ErrorCode::Defect, "can't listen to signals").because(&error))
}

/// What the worker's thread needs to make its parts.
struct Plan {
    options: Arc<Options>,
    sink: Address,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

impl Plan {
    /// Makes source and sinks, says that they are there, and works to the end.
    fn work(self, pipelines: watch::Receiver<Arc<Pipeline>>, ready: oneshot::Sender<()>) -> Result<(), Failure> {
        crate::connect::block_on(async move {
            let pipeline = pipelines.borrow().clone();
            let mut source = self.source(&pipeline)?;
            if let Some(lines) = self.options.dry_run {
                let shown = dry::show(&mut *source, &pipeline, lines, self.options.json).await;
                shown.map_err(|error| source_failure(&error))?;
                return Ok(());
            }
            let sinks = self.sinks(&pipeline).await?;
            // Nobody waits any more only where the program is ending.
            let _ = ready.send(());
            let indexing = &pipeline.sensor().indexing;
            let mut policy = Policy { in_flight: self.options.in_flight, ..Policy::default() };
            if let Some(size) = indexing.batch_size {
                policy.batch_size = size;
            }
            if let Some(seconds) = indexing.batch_timeout {
                policy.batch_age = Duration::from_secs(seconds);
            }
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
            group: self.options.group.clone().unwrap_or_else(|| format!("{topic}_parser")),
            earliest: self.options.from == super::options::From::Earliest,
            once: self.options.once,
        };
        let opened = crate::source::kafka::KafkaTopic::open(&wanted, &self.properties()?);
        Ok(Box::new(opened.map_err(|error| source_failure(&error))?))
    }

    #[cfg(not(feature = "kafka"))]
    fn kafka_source(&self, _: &str, _: &str) -> Result<Box<dyn Source>, Failure> {
        Err(without_kafka())
    }

    #[cfg(feature = "kafka")]
    fn kafka_sink(&self, brokers: &str, topic: &str) -> Result<Rc<dyn Sink>, Failure> {
        let connected = sink::kafka::KafkaWriter::connect(brokers, topic, &self.properties()?, self.stop.clone());
        Ok(Rc::new(connected.map_err(|error| sink_failure(&error))?))
    }

    #[cfg(not(feature = "kafka"))]
    fn kafka_sink(&self, _: &str, _: &str) -> Result<Rc<dyn Sink>, Failure> {
        Err(without_kafka())
    }

    #[cfg(feature = "kafka")]
    fn properties(&self) -> Result<crate::kafka::Properties, Failure> {
        let file = self.options.kafka_config.as_deref();
        Ok(file.map(crate::kafka::Properties::from_file).transpose()?.unwrap_or_default())
    }

    async fn sinks(&self, pipeline: &Pipeline) -> Result<Sinks, Failure> {
        if self.options.json && (self.sink == Address::Standard || self.options.errors == Some(Address::Standard)) {
            let message = "--json says on stdout what happens; documents can't go there too: give --sink file:PATH";
            return Err(Failure::new(ErrorCode::Usage, message));
        }
        let documents = self.open(&self.sink, pipeline, false).await?;
        let errors: Rc<dyn Sink> = match &self.options.errors {
            Some(address) => self.open(address, pipeline, true).await?,
            None if matches!(self.sink, Address::Search(_)) => self.open(&self.sink, pipeline, true).await?,
            None => Rc::new(JsonLines::standard_error()),
        };
        let retry = match &self.options.retry {
            None => None,
            Some(address @ (Address::Kafka { topic: Some(_), .. } | Address::File(_) | Address::Null)) => {
                Some(self.open(address, pipeline, false).await?)
            }
            Some(other) => {
                let message = format!("--retry {other} can't take lines; kafka://HOST:PORT/TOPIC or file:PATH");
                return Err(Failure::new(ErrorCode::Usage, message));
            }
        };
        Ok(Sinks { documents, errors, retry })
    }

    async fn open(&self, address: &Address, pipeline: &Pipeline, for_errors: bool) -> Result<Rc<dyn Sink>, Failure> {
        let sensor = pipeline.sensor();
        Ok(match address {
            Address::Null => Rc::new(Null),
            Address::Standard => Rc::new(JsonLines::standard_output()),
            Address::File(path) => Rc::new(JsonLines::file(path).map_err(|error| sink_failure(&error))?),
            Address::Search(url) => {
                let settings = if for_errors {
                    Settings::errors(&sensor.indexing)
                } else {
                    Settings::documents(&sensor.indexing, sensor.global.date_format.clone())
                };
                let connected = Search::connect(url, settings, self.stop.clone()).await;
                Rc::new(connected.map_err(|error| sink_failure(&error))?)
            }
            Address::Kafka { brokers, topic } => {
                let parser = &sensor.parser;
                let (configured, default) = if for_errors {
                    (parser.error_topic.as_deref(), "parser_error")
                } else {
                    (parser.output_topic.as_deref(), "indexing")
                };
                self.kafka_sink(brokers, topic_of(topic.as_deref(), configured, default))?
            }
        })
    }
}

/// The topic that the address names, else the configuration, else what is customary.
fn topic_of<'a>(named: Option<&'a str>, configured: Option<&'a str>, default: &'a str) -> &'a str {
    named.or(configured).unwrap_or(default)
}

#[cfg(not(feature = "kafka"))]
fn without_kafka() -> Failure {
    Failure::new(ErrorCode::Usage, "this program was built without Kafka; build it with --features kafka")
}

/// ZooKeeper, where one is given or needed.
async fn zookeeper(options: &Options) -> Result<Option<(SharedTree, Roots)>, Failure> {
    let address = match options.zookeeper.address() {
        Ok(address) => address,
        Err(failure) if options.config.is_some() && failure.code() == ErrorCode::NoZookeeper => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let how = ZkOptions {
        session_timeout: Duration::from_secs(10),
        ..ZkOptions::command(&address.connect, options.zookeeper.timeout())
    };
    let tree: SharedTree = ZkTree::connect(how).await.map_err(|error| tree_failure(&error))?;
    let roots = maas_client::open(&*tree, &options.zookeeper.root()?).await.map_err(|error| match &error {
        maas_client::open::Error::Tree { source, .. } => tree_failure(source),
        maas_client::open::Error::Config(error) => Failure::of(ErrorCode::ConfigNode, error),
    })?;
    Ok(Some((tree, roots)))
}

fn environment(
    options: &Options,
    zookeeper: Option<&(SharedTree, Roots)>,
    sensor: &Sensor,
    metrics: &Arc<Metrics>,
) -> Result<Environment, Failure> {
    let services = sensor.global.services.clone();
    let Some((tree, roots)) = zookeeper else { return Ok(Environment { services, ..Environment::default() }) };
    let report = Box::new(Logged::default());
    let models = Models::new(Handle::current(), tree.clone(), roots.clone(), &sensor.global.models, report);
    let models =
        models.map_err(|error| Failure::new(ErrorCode::Defect, "models can't be called from here").because(&error))?;
    let bounded = Bounded::new(Arc::new(models), metrics.clone(), options.model_calls);
    Ok(Environment { models: Some(Arc::new(bounded)), services, ..Environment::default() })
}

fn sink_address(option: Option<Address>, global: &Global) -> Result<Address, Failure> {
    if let Some(address) = option {
        return Ok(address);
    }
    if let Ok(text) = std::env::var(SINK_VARIABLE)
        && !text.is_empty()
    {
        return text.parse().map_err(|error: crate::address::BadAddress| {
            Failure::new(ErrorCode::Usage, format!("${SINK_VARIABLE} can't be used")).because(&error)
        });
    }
    let address = global.search.as_ref().map(|search| Address::Search(format!("http://{search}")));
    address.ok_or_else(|| {
        let message = format!(
            "where documents go is not known; give --sink, or set ${SINK_VARIABLE}, or es.ip and es.port of global.json"
        );
        Failure::new(ErrorCode::Usage, message)
    })
}

/// The consumer group; none where nothing is consumed.
fn group(options: &Options, configured: Option<String>) -> Option<String> {
    let Address::Kafka { topic, .. } = &options.source else { return None };
    let topic = topic.clone().or(configured).unwrap_or_else(|| options.sensor.clone());
    Some(options.group.clone().unwrap_or_else(|| format!("{topic}_parser")))
}

fn current_topic(pipelines: &watch::Sender<Arc<Pipeline>>) -> Option<String> {
    pipelines.borrow().sensor().parser.topic.clone()
}

fn running_here(options: &Options, sink: &Address, http: Option<String>) -> Running {
    let host = std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname")).unwrap_or_default();
    Running {
        sensor: options.sensor.clone(),
        host: host.trim().to_owned(),
        pid: std::process::id(),
        since: jiff::Timestamp::now().to_string(),
        source: options.source.to_string(),
        sink: sink.to_string(),
        http,
    }
}

fn topology_failure(error: &topology::Error) -> Failure {
    match error {
        topology::Error::Tree(source) => tree_failure(source),
        topology::Error::NotText { .. } => Failure::of(ErrorCode::BadSensor, error),
    }
}

fn source_failure(error: &source::Error) -> Failure {
    Failure::of(
        if matches!(error, source::Error::Unreadable { .. }) {
            ErrorCode::BadPath
        } else {
            ErrorCode::ServerUnreachable
        },
        error,
    )
}

fn sink_failure(error: &sink::Error) -> Failure {
    Failure::of(
        if matches!(error, sink::Error::Refused { .. }) { ErrorCode::ServerUnreachable } else { ErrorCode::BadPath },
        error,
    )
}
