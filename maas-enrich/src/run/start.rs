//! From options to a pipeline that runs: ZooKeeper, configuration, models, pages, workers; and how it ends. What a worker reads and writes is `plan`'s.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
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
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::credentials::Credentials;
use super::http::{self, Shown};
use super::metrics::Metrics;
use super::models::Bounded;
use super::options::Options;
use super::plan::{Plan, Word};
use super::running::{self, Running};
use super::said::Said;
use super::{plan, reload};
use crate::address::Address;
use crate::config::{Files, Global, Sensor};
use crate::connect::tree_failure;
use crate::patterns;
use crate::pipeline::Pipeline;
use crate::topology::{self, Changes};

/// Where documents go where nobody says so.
const SINK_VARIABLE: &str = "MAAS_SINK";
/// Workers that a configuration can ask for.
pub(super) const MOST_WORKERS: usize = 64;
/// How long a dry run that is to end may take for it.
const DRY_RUN_ENDS: Duration = Duration::from_secs(1);

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

async fn started(mut options: Options) -> Result<(), Failure> {
    let said = Said::new(options.json);
    let is_seen = |address: &Option<Address>| matches!(address, Some(Address::Search(url)) if url.has_user());
    if is_seen(&options.sink) || is_seen(&options.errors) {
        tracing::warn!(
            "a password in an argument is seen by everybody on this machine; give it in a file, --search-credentials, or in ${SINK_VARIABLE}"
        );
    }
    let credentials = Credentials::find(options.search_credentials.as_deref())?;
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
    let files = reload::relevant(files, &options.sensor).map_err(|error| patterns_failure(&error))?;
    let (sensor, warnings) =
        Sensor::compile(&options.sensor, &files).map_err(|bad| Failure::of(ErrorCode::BadSensor, &bad))?;
    for (file, warning) in &warnings {
        tracing::warn!(file, "{warning}");
    }

    let metrics = Arc::new(Metrics::new(&options.sensor));
    let sink = match options.dry_run {
        Some(_) => Address::Null,
        None => sink_address(options.sink.clone(), &sensor.global)?,
    };
    let given = |address| credentials.as_ref().map_or_else(|| Address::clone(address), |user| user.give(address));
    let sink = given(&sink);
    options.errors = options.errors.as_ref().map(given);
    let workers = workers(&options, &sensor)?;
    let options = Arc::new(options);
    let environments =
        Environments { options: options.clone(), zookeeper: zookeeper.clone(), metrics: metrics.clone() };
    let environment = Arc::new(environments.make(&sensor)?);
    let topic = sensor.parser.topic.clone();
    let (pipelines, current) = watch::channel(Arc::new(Pipeline::new(Arc::new(sensor), environment)));
    let stop = CancellationToken::new();

    let source = source_of(&options, topic.as_deref()).to_string();
    let shown = Shown {
        metrics: metrics.clone(),
        sensor: options.sensor.clone(),
        source: source.clone(),
        sink: sink.to_string(),
    };
    let http = match options.http {
        Some(address) => Some(format!("http://{}", http::serve(address, shown).await?)),
        None => None,
    };

    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut words = begin(&Plan::new(options.clone(), sink.clone(), metrics.clone(), stop.clone()), &current, workers)?;
    drop(current);
    let mut followers = JoinSet::new();
    let (mut ready, mut first_failure) = (0, None);
    loop {
        let word = tokio::select! {
            word = words.recv() => word,
            _ = interrupt.recv() => { stop.cancel(); continue }
            _ = terminate.recv() => { stop.cancel(); continue }
            () = gives_up(&options, &stop) => break,
        };
        match word {
            // All workers have ended.
            None => break,
            Some(Word::Ended(result)) => {
                if let Err(failure) = result {
                    // Without one of them its lines would stay: the others end too.
                    stop.cancel();
                    first_failure.get_or_insert(failure);
                }
            }
            Some(Word::Ready) => ready += 1,
        }
        if ready == workers && followers.is_empty() && options.dry_run.is_none() && !stop.is_cancelled() {
            let line = format!(
                "{} runs: {} -> {sink}{}",
                options.sensor,
                options.source,
                http.as_deref().map(|http| format!(", {http}")).unwrap_or_default()
            );
            let group = group(&options, topic.as_deref());
            said.event("ready", json!({"sensor": options.sensor, "http": http, "group": group}), &line);
            followers.spawn(said.progress(metrics.clone()));
            if let Some((tree, roots)) = zookeeper.clone() {
                let running = running_here(&options, source.clone(), &sink, http.clone());
                let stop = stop.clone();
                followers.spawn(async move {
                    running::show_until_stopped(tree, roots, running).await;
                    stop.cancel();
                });
            }
            if let (None, Some((tree, _))) = (&options.config, &zookeeper) {
                let changes = Changes::watch(tree).await.map_err(|error| topology_failure(&error))?;
                let (tree, files, pipelines) = (tree.clone(), files.clone(), pipelines.clone());
                followers.spawn(reload::follow(tree, changes, files, pipelines, environments.clone(), said));
            }
        }
    }
    followers.shutdown().await;
    if let Some((tree, _)) = &zookeeper {
        tree.close().await;
    }
    if let Some(failure) = first_failure {
        return Err(failure);
    }
    if options.dry_run.is_none() {
        said.done(&metrics);
    }
    let errors = metrics.progress().errors;
    if options.fail_on_errors && errors > 0 {
        return Err(Failure::new(ErrorCode::ErrorRecords, format!("there were {errors} error records")));
    }
    Ok(())
}

/// Starts the workers, each on a thread of its own, and gives what they say.
fn begin(
    plan: &Plan,
    current: &watch::Receiver<Arc<Pipeline>>,
    workers: usize,
) -> Result<mpsc::UnboundedReceiver<Word>, Failure> {
    let (say, words) = mpsc::unbounded_channel();
    for worker in 0..workers {
        let (plan, current, say) = (plan.of_worker(worker), current.clone(), say.clone());
        let thread = std::thread::Builder::new().name(format!("worker-{worker}")).spawn(move || {
            // One that panics must not pass for one that is done.
            let result = catch_unwind(AssertUnwindSafe(|| plan.work(current, &say))).unwrap_or_else(|_| {
                Err(Failure::new(
                    ErrorCode::Defect,
                    format!("worker {worker} panicked; its lines are read again next time"),
                ))
            });
            // Nobody listens any more only where the program is ending.
            let _ = say.send(Word::Ended(result));
        });
        thread.map_err(|error| Failure::new(ErrorCode::Defect, "can't start a thread").because(&error))?;
    }
    Ok(words)
}

/// How many workers there are: as many as is asked for, else as the original's configuration wants of parallel parsers.
fn workers(options: &Options, sensor: &Sensor) -> Result<usize, Failure> {
    let is_topic = matches!(options.source, Address::Kafka { .. }) && options.dry_run.is_none();
    match options.workers {
        Some(workers) if workers > 1 && !is_topic => {
            let message =
                format!("--workers {workers} share out a topic's partitions; one reads --source {}", options.source);
            Err(Failure::new(ErrorCode::Usage, message))
        }
        Some(workers) => Ok(workers),
        None if is_topic => Ok(sensor.parser.parallelism.unwrap_or(1).clamp(1, MOST_WORKERS)),
        None => Ok(1),
    }
}

/// When an end that was asked for waits for nobody: a dry run leaves nothing to be written, and may be asking brokers that don't answer.
async fn gives_up(options: &Options, stop: &CancellationToken) {
    if options.dry_run.is_none() {
        return std::future::pending().await;
    }
    stop.cancelled().await;
    tokio::time::sleep(DRY_RUN_ENDS).await;
}

fn listen(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(|error| Failure::new(ErrorCode::Defect, "can't listen to signals").because(&error))
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

/// Makes what expressions see of the world, anew where global.json changes it.
#[derive(Clone)]
pub(super) struct Environments {
    options: Arc<Options>,
    zookeeper: Option<(SharedTree, Roots)>,
    pub(super) metrics: Arc<Metrics>,
}

impl Environments {
    /// For this sensor. Must be made on the runtime where models are followed.
    pub(super) fn make(&self, sensor: &Sensor) -> Result<Environment, Failure> {
        let services = sensor.global.services.clone();
        let Some((tree, roots)) = &self.zookeeper else {
            return Ok(Environment { services, ..Environment::default() });
        };
        let report = Box::new(Logged::default());
        let models = Models::new(Handle::current(), tree.clone(), roots.clone(), &sensor.global.models, report);
        let models = models
            .map_err(|error| Failure::new(ErrorCode::Defect, "models can't be called from here").because(&error))?;
        let bounded = Bounded::new(Arc::new(models), self.metrics.clone(), self.options.model_calls);
        Ok(Environment { models: Some(Arc::new(bounded)), services, ..Environment::default() })
    }
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
    if let Some(search) = &global.search {
        let url = format!("http://{search}").parse();
        return url.map(Address::Search).map_err(|error: crate::address::BadAddress| {
            Failure::new(ErrorCode::BadConfig, "es.ip and es.port of global.json can't be used").because(&error)
        });
    }
    let message = format!(
        "where documents go is not known; give --sink, or set ${SINK_VARIABLE}, or es.ip and es.port of global.json"
    );
    Err(Failure::new(ErrorCode::Usage, message))
}

/// The source with its topic, which may be named by the configuration or the sensor alone.
fn source_of(options: &Options, configured: Option<&str>) -> Address {
    match &options.source {
        Address::Kafka { brokers, topic } => {
            let topic = plan::topic_of(topic.as_deref(), configured, &options.sensor).to_owned();
            Address::Kafka { brokers: brokers.clone(), topic: Some(topic) }
        }
        other => other.clone(),
    }
}

/// The consumer group; none where nothing is consumed.
fn group(options: &Options, configured: Option<&str>) -> Option<String> {
    let Address::Kafka { topic, .. } = &options.source else { return None };
    Some(plan::group(options, plan::topic_of(topic.as_deref(), configured, &options.sensor)))
}

fn running_here(options: &Options, source: String, sink: &Address, http: Option<String>) -> Running {
    let host = std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname")).unwrap_or_default();
    Running {
        sensor: options.sensor.clone(),
        host: host.trim().to_owned(),
        pid: std::process::id(),
        since: jiff::Timestamp::now().to_string(),
        source,
        sink: sink.to_string(),
        http,
    }
}

fn patterns_failure(error: &patterns::Error) -> Failure {
    let code = if error.is_retryable() { ErrorCode::StoreUnreachable } else { ErrorCode::BadSensor };
    Failure::of(code, error)
}

fn topology_failure(error: &topology::Error) -> Failure {
    match error {
        topology::Error::Tree(source) => tree_failure(source),
        topology::Error::NotText { .. } => Failure::of(ErrorCode::BadSensor, error),
    }
}
