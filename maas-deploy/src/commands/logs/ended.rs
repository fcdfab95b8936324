//! Logs of an application of YARN that has ended: which application, and whether its cluster has collected them.
//!
//! The ResourceManager says what has ended and how far the collecting is; the files lie in HDFS, and what is read from
//! them is [`collected`]'s and [`mod@pour`]'s. An application that the ResourceManager has forgotten is looked for in HDFS.

mod collected;
mod files;
mod pour;
#[cfg(test)]
mod tests;

use super::lines::{Lines, shape};
use super::{Known, Wanted, Which};
use crate::context::note;
use crate::error::Error;
use collected::{Collected, Instance, gather, in_one_line};
use files::{Files, Hdfs};
use hadoop_yarn::client::ResourceManager;
use hadoop_yarn::config::{ConfigError, Configuration, YarnConfig};
use hadoop_yarn::logs::LogPlaces;
use hadoop_yarn::rpc::{self, ExceptionKind};
use hadoop_yarn::types::{ApplicationFilter, ApplicationId, ApplicationReport, LogAggregation, ParseIdError};
use jiff::Timestamp;
use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure};
use pour::{Stream, pour};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::future::Future;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// What `maas_service` calls its applications.
const TYPE: &str = "MAAS";
/// How many of those that ended last are looked through.
const LOOK_THROUGH: usize = 10;
/// How long a call to the ResourceManager may take, failovers included.
const CALL: Duration = Duration::from_secs(20);
/// How long it is waited for logs that are being collected, and how often it is asked.
const COLLECTING: Duration = Duration::from_secs(10);
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How long it is waited for the end of an application whose master is gone.
const ENDING: Duration = Duration::from_secs(3);
/// After this long after an application's end nothing more is collected: the ResourceManager itself gives up then
/// (`yarn.log-aggregation-status.time-out.ms`), and one that was restarted no longer knows what had been collected.
const SETTLED: Duration = Duration::from_secs(600);

/// Prints the logs.
pub(super) async fn print<W: Write>(wanted: Wanted, out: &mut Out<W>) -> Result<(), Error> {
    let cluster = Cluster::configured()?;
    let collected = match &wanted.which {
        Which::Named(id) | Which::Left(id) => cluster.named(&wanted, id).await?,
        Which::Newest { zookeeper } if wanted.follow => {
            return Err(nothing_follows(&format!("no master leads at {zookeeper}")));
        }
        Which::Newest { zookeeper } => cluster.newest(&wanted, zookeeper).await?,
    };
    let chosen = choose(&collected, &wanted)?;
    let ids: Vec<String> = chosen.iter().map(|instance| instance.identity.instance.clone()).collect();
    let mut shapes = Vec::new();
    let mut streams = Vec::new();
    for instance in &chosen {
        for stream in wanted.streams {
            shapes.push(shape(wanted.json, &ids, &instance.identity.instance, stream));
            streams.push(Stream { parts: instance.parts_of(stream) });
        }
    }
    let is_alone = ids.len() == 1;
    let (send, mut receive) = mpsc::channel(8);
    let (files, tail) = (Arc::clone(&cluster.files), wanted.tail);
    let work = tokio::task::spawn_blocking(move || {
        // A receiver that is gone wants nothing more.
        pour(&*files, &collected, &streams, tail, |at, piece| send.blocking_send((at, piece)).is_ok());
    });
    let mut open: Option<(usize, Lines)> = None;
    let mut shapes = shapes.into_iter().enumerate();
    while let Some((at, piece)) = receive.recv().await {
        if open.as_ref().is_none_or(|(of, _)| *of != at) {
            if let Some((_, mut lines)) = open.take() {
                out.bytes(&lines.rest())?;
            }
            open = shapes.find(|(of, _)| *of == at).map(|(of, shape)| (of, Lines::new(shape)));
        }
        match piece {
            Ok(bytes) => {
                if let Some((_, lines)) = &mut open {
                    out.bytes(&lines.take(&bytes))?;
                }
            }
            Err(failure) if is_alone => return Err(failure.into()),
            // One of several that can't be read does not keep the others.
            Err(failure) => note(in_one_line(&failure)),
        }
        if out.is_closed() {
            return Ok(());
        }
    }
    if let Some((_, mut lines)) = open {
        out.bytes(&lines.rest())?;
    }
    work.await.map_err(|error| Failure::new(ErrorCode::Defect, "work on files ended early").because(&error).into())
}

fn nothing_follows(why: &str) -> Error {
    let message = format!("--follow: {why}, and nothing follows in collected logs; leave it out");
    Error::say(ErrorCode::Usage, message)
}

/// The instances that are asked for, in the order in which they were started.
fn choose<'a>(collected: &'a Collected, wanted: &Wanted) -> Result<Vec<&'a Instance>, Error> {
    let of_model = collected.of(&wanted.name, wanted.version.as_ref());
    let Some(id) = &wanted.instance else { return Ok(of_model) };
    let all: BTreeSet<String> = of_model.iter().map(|instance| instance.identity.instance.clone()).collect();
    let id = Known { usual: Vec::new(), all }.named(id)?;
    Ok(of_model.into_iter().filter(|instance| instance.identity.instance == id).collect())
}

/// A cluster, by its configuration.
struct Cluster {
    rm: ResourceManager,
    places: LogPlaces,
    files: Arc<Hdfs>,
    user: String,
}

impl Cluster {
    fn configured() -> Result<Cluster, Error> {
        let configuration = Configuration::from_environment().map_err(|error| configured(&error))?;
        let yarn = YarnConfig::new(&configuration).map_err(|error| configured(&error))?;
        let user = YarnConfig::user().map_err(|error| configured(&error))?;
        let file_system = configuration.get("fs.defaultFS").map_err(|error| configured(&error))?;
        Ok(Cluster {
            rm: ResourceManager::new(&yarn, yarn.authentication(&user)),
            places: LogPlaces::new(&configuration).map_err(|error| configured(&error))?,
            files: Arc::new(Hdfs::new(file_system.unwrap_or_default())),
            user,
        })
    }

    /// What was collected of one application; an error when nothing of it is wanted.
    async fn named(&self, wanted: &Wanted, id: &str) -> Result<Collected, Error> {
        let id: ApplicationId = id
            .parse()
            .map_err(|error: ParseIdError| Failure::new(ErrorCode::Usage, format!("--application {error}")))?;
        let Some(mut report) = self.report(id).await? else { return self.forgotten(wanted, id).await };
        let is_named = matches!(wanted.which, Which::Named(_));
        match report.state {
            state if state.is_over() => {}
            state if is_named => {
                let message = format!(
                    "{id} is {state}, and its logs are collected when it ends; leave --application out, and its master gives them"
                );
                return Err(Error::say(ErrorCode::NoLogs, message));
            }
            state => {
                let message = format!(
                    "the master of {id} can't be reached, and YARN says that it is {state}; try again in a moment"
                );
                return Err(Error::say(ErrorCode::MasterUnreachable, message));
            }
        }
        if wanted.follow {
            return Err(nothing_follows(&format!("{id} has ended")));
        }
        if !is_named {
            note(format!("{id} has ended ({}); these are its logs", report.final_status));
        }
        self.wait_until_collected(&mut report, Instant::now() + COLLECTING).await?;
        let collected = self.gather(id, vec![report.user.clone()]).await?;
        self.judge(wanted, collected, &report)
    }

    /// What was collected of an application that the ResourceManager does not know.
    async fn forgotten(&self, wanted: &Wanted, id: ApplicationId) -> Result<Collected, Error> {
        let collected = self.gather(id, self.users().await?).await?;
        if !collected.is_empty() {
            return Ok(collected.if_any(wanted, id)?);
        }
        let trouble = collected.trouble();
        let roots: Vec<String> = self.places.roots().into_iter().map(|root| root.path).collect();
        let message = format!(
            "the ResourceManager knows no {id}, and {} has no logs of it; `yarn application -list -appStates ALL` names those it knows",
            roots.join(", ")
        );
        // Who may not look everywhere still has most likely got the id wrong.
        let code = trouble.map(Failure::code).filter(|code| *code != ErrorCode::NotPermitted);
        let failure = Failure::new(code.unwrap_or(ErrorCode::NoLogs), message);
        Err(trouble.into_iter().fold(failure, with_causes).into())
    }

    /// What was collected of the newest application that has what is wanted.
    async fn newest(&self, wanted: &Wanted, zookeeper: &str) -> Result<Collected, Error> {
        let (mut over, running) = self.applications().await.map_err(|failure| {
            let message = format!("no master leads at {zookeeper}, and which applications have ended can't be learnt");
            beneath(message, &failure)
        })?;
        let still = running.first().map(|report| format!("; {} is {}", report.id, report.state)).unwrap_or_default();
        over.truncate(LOOK_THROUGH);
        let deadline = Instant::now() + COLLECTING;
        let (mut first_trouble, mut absence) = (None, None);
        for report in &mut over {
            self.wait_until_collected(report, deadline).await?;
            let collected = self.gather(report.id, vec![report.user.clone()]).await?;
            match self.judge(wanted, collected, report) {
                Ok(collected) => {
                    let ended = Timestamp::from_millisecond(report.finish_time).unwrap_or_default();
                    let (id, status) = (report.id, &report.final_status);
                    note(format!(
                        "no master leads at {zookeeper}; these are the logs of {id}, ended {ended:.0} ({status}){still}"
                    ));
                    return Ok(collected);
                }
                Err(error) => {
                    let failure = error.into_failure();
                    let kept = if failure.code() == ErrorCode::NoLogs { &mut absence } else { &mut first_trouble };
                    kept.get_or_insert(failure);
                }
            }
        }
        if let Some(failure) = first_trouble {
            return Err(failure.into());
        }
        let seen = match over.as_slice() {
            [] => "the ResourceManager knows of no application of maas_service that has ended".to_string(),
            [one] => format!(
                "{}, the one application of maas_service that has ended, left no logs of {}",
                one.id, wanted.name
            ),
            several => format!(
                "none of the {} applications of maas_service that ended last left logs of {}",
                several.len(),
                wanted.name
            ),
        };
        let message =
            format!("no master leads at {zookeeper}, and {seen}{still}; name an older one with --application");
        Err(absence.iter().fold(Failure::new(ErrorCode::NoLogs, message), with_causes).into())
    }

    /// The applications of `maas_service` that have ended, the newest end first, and those of this user that have not. A
    /// master that was stopped is gone a moment before its application is over, so while there are some of the latter
    /// it is looked again for a moment, until one of them has ended.
    async fn applications(&self) -> Result<(Vec<ApplicationReport>, Vec<ApplicationReport>), Failure> {
        let filter = ApplicationFilter { types: vec![TYPE.to_string()], ..ApplicationFilter::default() };
        let (deadline, mut ended_at_first) = (Instant::now() + ENDING, None);
        loop {
            let listed = bounded(self.rm.applications(&filter)).await?;
            let (mut over, mut running): (Vec<_>, Vec<_>) =
                listed.into_iter().partition(|report| report.state.is_over());
            running.retain(|report| report.user == self.user);
            let has_ended = *ended_at_first.get_or_insert(over.len()) < over.len();
            if running.is_empty() || has_ended || Instant::now() >= deadline {
                over.sort_by_key(|report| Reverse((report.finish_time, report.id)));
                return Ok((over, running));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// An application as the ResourceManager knows it; `None` when it does not, or does not answer.
    async fn report(&self, id: ApplicationId) -> Result<Option<ApplicationReport>, Error> {
        match tokio::time::timeout(CALL, self.rm.report(id)).await {
            Ok(Ok(report)) => Ok(Some(report)),
            Ok(Err(error)) if error.kind() == Some(ExceptionKind::ApplicationNotFound) => Ok(None),
            Ok(Err(error)) if !error.is_unreachable() => Err(refused(&error).into()),
            Ok(Err(_)) | Err(_) => {
                note("the ResourceManager does not answer; what HDFS has is looked for");
                Ok(None)
            }
        }
    }

    /// Waits while logs are being collected, until `deadline`.
    async fn wait_until_collected(&self, report: &mut ApplicationReport, deadline: Instant) -> Result<(), Error> {
        while self.is_pending(report, Timestamp::now()) && Instant::now() < deadline {
            tokio::time::sleep(ASK_EVERY).await;
            *report = bounded(self.rm.report(report.id)).await?;
        }
        Ok(())
    }

    fn is_pending(&self, report: &ApplicationReport, now: Timestamp) -> bool {
        self.places.is_enabled && is_pending(report.log_aggregation, report.finish_time, now)
    }

    /// What lies in HDFS of an application of one of these users.
    async fn gather(&self, id: ApplicationId, users: Vec<String>) -> Result<Collected, Error> {
        let (files, places) = (Arc::clone(&self.files), self.places.clone());
        blocking(move || Ok(gather(&*files, &places, id, &users))).await
    }

    /// This user, and then all others that logs were collected of.
    async fn users(&self) -> Result<Vec<String>, Error> {
        let (files, places, own) = (Arc::clone(&self.files), self.places.clone(), self.user.clone());
        blocking(move || {
            let mut users = vec![own];
            for root in places.roots() {
                // What can't be listed is said when it is looked into.
                users.extend(files.names(&root).unwrap_or_default());
            }
            let mut seen = BTreeSet::new();
            users.retain(|user| seen.insert(user.clone()));
            Ok(users)
        })
        .await
    }

    /// What was collected, where something of it is wanted; else why there is nothing.
    fn judge(&self, wanted: &Wanted, collected: Collected, report: &ApplicationReport) -> Result<Collected, Error> {
        let (id, status) = (report.id, report.log_aggregation);
        let is_pending = self.is_pending(report, Timestamp::now());
        let has_any = !collected.of(&wanted.name, wanted.version.as_ref()).is_empty();
        if is_pending && has_any {
            note(format!("the logs of {id} are still being collected ({status}); this is what is there by now"));
        } else if is_pending {
            let message = format!(
                "the logs of {id} are not collected yet ({status}, after {} s); try again in a while",
                COLLECTING.as_secs()
            );
            return Err(Error::say(ErrorCode::TimedOut, message));
        } else if !has_any && collected.is_empty() && (status == LogAggregation::Disabled || !self.places.is_enabled) {
            let message = format!(
                "this cluster collects no logs (yarn.log-aggregation-enable); those of {id} lie on the nodes that ran it, in yarn.nodemanager.log-dirs, for yarn.nodemanager.log.retain-seconds"
            );
            return Err(Error::say(ErrorCode::NoLogs, message));
        }
        Ok(collected.if_any(wanted, id)?)
    }
}

/// Whether more may come, by what the ResourceManager says and when the application ended.
fn is_pending(status: LogAggregation, finish_time: i64, now: Timestamp) -> bool {
    let is_under_way =
        matches!(status, LogAggregation::NotStarted | LogAggregation::Running | LogAggregation::RunningWithFailure);
    let settled = i64::try_from(SETTLED.as_millis()).unwrap_or(i64::MAX);
    is_under_way && now.as_millisecond().saturating_sub(finish_time) < settled
}

/// A call to the ResourceManager, which may be tried again for longer than a person waits.
async fn bounded<T>(call: impl Future<Output = Result<T, rpc::Error>>) -> Result<T, Failure> {
    match tokio::time::timeout(CALL, call).await {
        Ok(answer) => answer.map_err(|error| refused(&error)),
        Err(_) => {
            let message = format!("the ResourceManager does not answer within {} s", CALL.as_secs());
            Err(Failure::new(ErrorCode::ServerUnreachable, message))
        }
    }
}

/// Does something with files away from the threads that talk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(Failure::new(ErrorCode::Defect, "work on files ended early").because(&error).into()),
    }
}

/// A failure in other words, with itself as the cause.
fn beneath(message: String, failure: &Failure) -> Failure {
    with_causes(Failure::new(failure.code(), message), failure)
}

fn with_causes(failure: Failure, cause: &Failure) -> Failure {
    let causes = std::iter::once(cause.message()).chain(cause.causes().iter().map(String::as_str));
    causes.fold(failure, Failure::with_cause)
}

fn configured(error: &ConfigError) -> Failure {
    let message = "Hadoop's configuration can't be used; set HADOOP_CONF_DIR to the directory of yarn-site.xml";
    Failure::new(ErrorCode::BadConfig, message).because(error)
}

fn refused(error: &rpc::Error) -> Failure {
    let (code, message) = match error.kind() {
        Some(ExceptionKind::AccessControl | ExceptionKind::InvalidToken) => {
            (ErrorCode::NotPermitted, "the ResourceManager does not let this user ask")
        }
        _ => (ErrorCode::ServerUnreachable, "the ResourceManager can't be asked"),
    };
    Failure::new(code, message).because(error)
}
