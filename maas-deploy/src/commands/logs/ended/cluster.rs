//! Asks a cluster, whose configuration is the user's: its ResourceManager what has ended and how far the collecting is, its
//! HDFS what lies there. What follows from the answers is [`decide`]'s.

use super::super::{Wanted, Which};
use super::collected::{Collected, gather};
use super::decide::{self, Asker, Candidates, Collecting, Outcome, Search};
use super::files::{Files, Hdfs};
use super::{COLLECTING, nothing_follows};
use crate::context::note;
use crate::error::Error;
use hadoop_yarn::client::ResourceManager;
use hadoop_yarn::config::{ConfigError, Configuration, YarnConfig};
use hadoop_yarn::logs::LogPlaces;
use hadoop_yarn::rpc::{self, ExceptionKind, SaslError};
use hadoop_yarn::types::{ApplicationFilter, ApplicationId, ApplicationReport, ParseIdError};
use jiff::Timestamp;
use maas_cli::{ErrorCode, Failure};
use std::collections::BTreeSet;
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What `maas_service` calls its applications.
const TYPE: &str = "MAAS";
/// How long a call to the ResourceManager may take, failovers included.
const CALL: Duration = Duration::from_secs(20);
/// How often it is asked while it is waited for something.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How long it is waited for the end of an application whose master is gone.
const ENDING: Duration = Duration::from_secs(3);
/// How long HDFS may say nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// A cluster, by its configuration.
pub(super) struct Cluster {
    rm: ResourceManager,
    places: LogPlaces,
    pub(super) files: Arc<Hdfs>,
    user: String,
}

/// What the ResourceManager says of an application.
enum Answer {
    Known(Box<ApplicationReport>),
    Unknown,
    /// Nothing: it can't be reached.
    Silent(Failure),
}

/// Users whose logs are looked through, and why these are not all.
struct Users {
    names: Vec<String>,
    unlisted: Option<Failure>,
}

impl Cluster {
    pub(super) fn configured() -> Result<Cluster, Error> {
        let configuration = Configuration::from_environment().map_err(|error| configured(&error))?;
        let yarn = YarnConfig::new(&configuration).map_err(|error| configured(&error))?;
        let user = user(&yarn)?;
        let file_system = configuration.get("fs.defaultFS").map_err(|error| configured(&error))?;
        Ok(Cluster {
            rm: ResourceManager::new(&yarn, yarn.authentication(&user)),
            places: LogPlaces::new(&configuration).map_err(|error| configured(&error))?,
            files: Arc::new(Hdfs::new(file_system.unwrap_or_default())),
            user,
        })
    }

    /// What was collected of one application; an error when nothing of it is wanted.
    pub(super) async fn named(&self, wanted: &Wanted, id: &str) -> Result<Collected, Error> {
        let id: ApplicationId = id
            .parse()
            .map_err(|error: ParseIdError| Failure::new(ErrorCode::Usage, format!("--application {error}")))?;
        let mut report = match self.report(id).await? {
            Answer::Known(report) => *report,
            Answer::Unknown => return self.forgotten(wanted, id, None).await,
            Answer::Silent(failure) => {
                note("the ResourceManager does not answer; what HDFS has is looked for");
                return self.forgotten(wanted, id, Some(&failure)).await;
            }
        };
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
        Ok(self.look_into(wanted, &mut report, Instant::now() + COLLECTING).await?)
    }

    /// What was collected of an application that the ResourceManager says nothing of: it does not know it, or is `silent`.
    async fn forgotten(
        &self,
        wanted: &Wanted,
        id: ApplicationId,
        silent: Option<&Failure>,
    ) -> Result<Collected, Error> {
        let users = self.users().await?;
        let collected = self.gather(id, users.names).await?;
        if !collected.is_empty() {
            return Ok(collected.if_any(wanted, id)?);
        }
        let roots: Vec<String> = self.places.roots().into_iter().map(|root| root.path).collect();
        Err(decide::not_found(id, &roots, silent, users.unlisted.as_ref(), collected.trouble()).into())
    }

    /// What was collected of the likeliest application that has what is wanted, of this `place` in ZooKeeper.
    pub(super) async fn newest(&self, wanted: &Wanted, zookeeper: &str, place: &str) -> Result<Collected, Error> {
        let asker = Asker { user: self.user.clone(), place: place.to_string() };
        let mut candidates = self.candidates(&asker).await.map_err(|failure| {
            let message = format!("no master leads at {zookeeper}, and which applications have ended can't be learnt");
            decide::beneath(message, &failure)
        })?;
        let still = decide::still(&candidates);
        let deadline = Instant::now() + COLLECTING;
        let mut search = Search::default();
        for report in &mut candidates.over {
            let outcome = self.look_into(wanted, report, deadline).await;
            let ControlFlow::Break(outcome) = search.take(report.id, decide::is_own(report, &asker), outcome) else {
                continue;
            };
            let collected = outcome?;
            search.remarks().iter().for_each(note);
            let ended = Timestamp::from_millisecond(report.finish_time).unwrap_or_default();
            let (id, status) = (report.id, &report.final_status);
            note(format!(
                "no master leads at {zookeeper}; these are the logs of {id}, ended {ended:.0} ({status}){still}"
            ));
            return Ok(collected);
        }
        Err(search.failure(wanted, zookeeper, &candidates).into())
    }

    /// The applications that may have it. A master that was stopped is gone a moment before its application is over, so
    /// while there are some that have not ended it is looked again for a moment, until one of them has.
    async fn candidates(&self, asker: &Asker) -> Result<Candidates, Failure> {
        let filter = ApplicationFilter { types: vec![TYPE.to_string()], ..ApplicationFilter::default() };
        let (deadline, mut over_at_first) = (Instant::now() + ENDING, None);
        loop {
            let candidates = Candidates::among(bounded(self.rm.applications(&filter)).await?, asker);
            let has_ended = *over_at_first.get_or_insert(candidates.all_over) < candidates.all_over;
            if candidates.running.is_empty() || has_ended || Instant::now() >= deadline {
                return Ok(candidates);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    async fn report(&self, id: ApplicationId) -> Result<Answer, Failure> {
        match tokio::time::timeout(CALL, self.rm.report(id)).await {
            Ok(Ok(report)) => Ok(Answer::Known(Box::new(report))),
            Ok(Err(error)) if error.kind() == Some(ExceptionKind::ApplicationNotFound) => Ok(Answer::Unknown),
            Ok(Err(error)) if error.is_unreachable() => Ok(Answer::Silent(refused(&error))),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Ok(Answer::Silent(silent())),
        }
    }

    /// What was collected of an application that has ended; while there may be more to come that is waited for, until
    /// `deadline`.
    async fn look_into(&self, wanted: &Wanted, report: &mut ApplicationReport, deadline: Instant) -> Outcome {
        while matches!(self.collecting(report), Collecting::UnderWay(_)) && Instant::now() < deadline {
            tokio::time::sleep(ASK_EVERY).await;
            // One that fails over or forgets the application takes nothing away of what lies in HDFS.
            let Ok(Ok(newer)) = tokio::time::timeout_at(deadline, self.rm.report(report.id)).await else { break };
            *report = newer;
        }
        let collected = self.gather(report.id, vec![report.user.clone()]).await?;
        decide::judge(wanted, report.id, collected, self.collecting(report))
    }

    fn collecting(&self, report: &ApplicationReport) -> Collecting {
        decide::collecting(report.log_aggregation, report.finish_time, Timestamp::now(), self.places.is_enabled)
    }

    /// What lies in HDFS of an application of one of these users.
    async fn gather(&self, id: ApplicationId, users: Vec<String>) -> Result<Collected, Failure> {
        let (files, places) = (Arc::clone(&self.files), self.places.clone());
        self.blocking(move || gather(&*files, &places, id, &users)).await
    }

    /// This user, and then all others that logs were collected of.
    async fn users(&self) -> Result<Users, Failure> {
        let (files, places, own) = (Arc::clone(&self.files), self.places.clone(), self.user.clone());
        self.blocking(move || {
            let mut users = Users { names: vec![own], unlisted: None };
            for root in places.roots() {
                match files.names(&root) {
                    Ok(names) => users.names.extend(names),
                    Err(failure) => drop(users.unlisted.get_or_insert(failure)),
                }
            }
            let mut seen = BTreeSet::new();
            users.names.retain(|user| seen.insert(user.clone()));
            users
        })
        .await
    }

    /// Does something with files away from the threads that talk, as long as HDFS says something.
    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let work = self.unless_silent(tokio::task::spawn_blocking(work)).await?;
        work.map_err(|error| Failure::new(ErrorCode::Defect, "work on files ended early").because(&error))
    }

    /// What something that waits for HDFS comes to, as long as that says something.
    pub(super) async fn unless_silent<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        unless_silent(SILENCE, || self.files.heard(), work).await
    }
}

/// What `work` comes to; a failure once nothing was heard for as long as `limit`. `heard` counts the answers.
async fn unless_silent<T>(
    limit: Duration,
    heard: impl Fn() -> u64,
    work: impl Future<Output = T>,
) -> Result<T, Failure> {
    let mut work = std::pin::pin!(work);
    let mut before = heard();
    loop {
        if let Ok(done) = tokio::time::timeout(limit, &mut work).await {
            return Ok(done);
        }
        let now = heard();
        if now == before {
            let message = format!("HDFS has not answered for {} s; try again when it does", limit.as_secs());
            return Err(Failure::new(ErrorCode::StoreUnreachable, message));
        }
        before = now;
    }
}

/// In whose name the cluster is asked: as when an application is submitted.
fn user(yarn: &YarnConfig) -> Result<String, Failure> {
    if !yarn.wants_kerberos {
        return YarnConfig::user().map_err(|error| configured(&error));
    }
    hadoop_yarn::rpc::ticket_owner().map_err(|error| match error {
        SaslError::WithoutKerberos => {
            let message = "this cluster asks for Kerberos; build maas_deploy with the feature kerberos";
            Failure::new(ErrorCode::BadConfig, message)
        }
        error => Failure::new(ErrorCode::NotPermitted, "this cluster asks for Kerberos").because(&error),
    })
}

/// A call to the ResourceManager, which may be tried again for longer than a person waits.
async fn bounded<T>(call: impl Future<Output = Result<T, rpc::Error>>) -> Result<T, Failure> {
    match tokio::time::timeout(CALL, call).await {
        Ok(answer) => answer.map_err(|error| refused(&error)),
        Err(_) => Err(silent()),
    }
}

fn silent() -> Failure {
    let message = format!("the ResourceManager does not answer within {} s", CALL.as_secs());
    Failure::new(ErrorCode::ServerUnreachable, message)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn work_goes_on_while_something_is_heard_and_not_for_ever() {
        let limit = Duration::from_millis(1);
        let silent = unless_silent(limit, || 7, std::future::pending::<()>()).await;
        assert_eq!(silent.unwrap_err().code(), ErrorCode::StoreUnreachable);
        let (send, receive) = oneshot::channel();
        let (asked, send) = (Cell::new(0), RefCell::new(Some(send)));
        let heard = || {
            asked.set(asked.get() + 1);
            if let Some(send) = send.borrow_mut().take_if(|_| asked.get() == 5) {
                send.send("done").unwrap();
            }
            asked.get()
        };
        assert_eq!(unless_silent(limit, heard, receive).await, Ok(Ok("done")));
    }
}
