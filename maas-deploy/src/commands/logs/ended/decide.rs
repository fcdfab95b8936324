//! Which application is shown, and what is said where none can be. Pure: what the ResourceManager and HDFS answered comes
//! in, and nobody is asked.

use super::super::Wanted;
use super::collected::{Collected, in_one_line};
use super::{COLLECTING, SETTLED};
use hadoop_yarn::types::{ApplicationId, ApplicationReport, LogAggregation};
use jiff::Timestamp;
use maas_cli::{ErrorCode, Failure};
use maas_client::place;
use std::cmp::Reverse;
use std::ops::ControlFlow;

/// How many of those that ended last are looked through.
const LOOK_THROUGH: usize = 10;

/// What an application left: its logs, or why there are none to show.
pub(super) type Outcome<T = Collected> = Result<T, Failure>;

/// Who asks, and from where.
pub(super) struct Asker {
    pub(super) user: String,
    /// The tag of the place in ZooKeeper that is asked about.
    pub(super) place: String,
}

/// The applications of `maas_service` that may have what is wanted.
#[derive(Debug, PartialEq)]
pub(super) struct Candidates {
    /// Those that have ended: this user's before others', those that say that they are of this place before those that
    /// say nothing, and the newest end first.
    pub(super) over: Vec<ApplicationReport>,
    /// This user's that have not ended.
    pub(super) running: Vec<ApplicationReport>,
    /// How many have ended that are of other places, and not among these.
    pub(super) elsewhere: usize,
    /// How many have ended altogether.
    pub(super) all_over: usize,
}

impl Candidates {
    pub(super) fn among(reports: Vec<ApplicationReport>, asker: &Asker) -> Candidates {
        let (mut over, mut running): (Vec<_>, Vec<_>) = reports.into_iter().partition(|report| report.state.is_over());
        let all_over = over.len();
        over.retain(|report| place_of(report).is_none_or(|place| place == asker.place));
        running.retain(|report| is_own(report, asker) && place_of(report).is_none_or(|place| place == asker.place));
        let elsewhere = all_over - over.len();
        over.sort_by_key(|report| {
            (!is_own(report, asker), place_of(report).is_none(), Reverse((report.finish_time, report.id)))
        });
        over.truncate(LOOK_THROUGH);
        Candidates { over, running, elsewhere, all_over }
    }
}

/// The place that an application says it is of; those of earlier versions say none.
fn place_of(report: &ApplicationReport) -> Option<&str> {
    report.tags.iter().map(String::as_str).find(|tag| tag.starts_with(place::TAG))
}

pub(super) fn is_own(report: &ApplicationReport, asker: &Asker) -> bool {
    report.user == asker.user
}

/// How far the collecting of an application's logs is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collecting {
    /// There will be no more.
    Over,
    /// More may come.
    UnderWay(LogAggregation),
    /// This cluster collects none.
    Off,
}

/// By what the ResourceManager says, when the application ended, and whether the cluster collects at all.
pub(super) fn collecting(status: LogAggregation, finish_time: i64, now: Timestamp, is_enabled: bool) -> Collecting {
    use LogAggregation::{Disabled, NotStarted, Running, RunningWithFailure};
    let settled = i64::try_from(SETTLED.as_millis()).unwrap_or(i64::MAX);
    let is_recent = now.as_millisecond().saturating_sub(finish_time) < settled;
    match status {
        _ if !is_enabled => Collecting::Off,
        Disabled => Collecting::Off,
        NotStarted | Running | RunningWithFailure if is_recent => Collecting::UnderWay(status),
        _ => Collecting::Over,
    }
}

/// What was collected, where something of it is wanted; else why there is nothing.
pub(super) fn judge(wanted: &Wanted, id: ApplicationId, mut collected: Collected, collecting: Collecting) -> Outcome {
    let is_away = collected.trouble().is_some_and(|trouble| trouble.code() == ErrorCode::StoreUnreachable);
    let has_any =
        collected.chosen(wanted).map_or_else(|failure| failure.code() == ErrorCode::Usage, |all| !all.is_empty());
    match collecting {
        Collecting::UnderWay(status) if has_any => {
            let remark = format!("the logs of {id} are still being collected ({status}); this is what is there by now");
            collected.remarks.push(remark);
        }
        Collecting::UnderWay(status) if !is_away => {
            let message = format!(
                "the logs of {id} are not collected yet ({status}, after {} s); try again in a while",
                COLLECTING.as_secs()
            );
            return Err(Failure::new(ErrorCode::TimedOut, message));
        }
        Collecting::Off if collected.is_empty() => {
            let message = format!(
                "this cluster collects no logs (yarn.log-aggregation-enable); those of {id} lie on the nodes that ran it, in yarn.nodemanager.log-dirs, for yarn.nodemanager.log.retain-seconds"
            );
            return Err(Failure::new(ErrorCode::NoLogs, message));
        }
        _ => {}
    }
    collected.if_any(wanted, id)
}

/// The looking through of applications, the likeliest first.
#[derive(Default)]
pub(super) struct Search {
    /// The first that could not be read, and the first that had nothing of it.
    trouble: Option<(ApplicationId, Failure)>,
    absence: Option<(ApplicationId, Failure)>,
}

impl Search {
    /// Ends with what is shown, or why no further one is looked into; goes on where this one does not have it.
    pub(super) fn take<T>(&mut self, id: ApplicationId, is_own: bool, outcome: Outcome<T>) -> ControlFlow<Outcome<T>> {
        let failure = match outcome {
            Ok(found) => return ControlFlow::Break(Ok(found)),
            Err(failure) => failure,
        };
        let kept = match failure.code() {
            // An id that may be two instances is found; and who is away is away for the next one, too.
            ErrorCode::Usage | ErrorCode::StoreUnreachable => return ControlFlow::Break(Err(failure)),
            ErrorCode::NoLogs | ErrorCode::NoInstance => &mut self.absence,
            ErrorCode::NotPermitted if !is_own => &mut self.absence,
            _ => &mut self.trouble,
        };
        kept.get_or_insert((id, failure));
        ControlFlow::Continue(())
    }

    /// What is said of those that were passed over before one was shown.
    pub(super) fn remarks(&self) -> Vec<String> {
        let passed = self.trouble.iter().chain(&self.absence);
        passed.map(|(id, failure)| format!("{id} is passed over: {}", in_one_line(failure))).collect()
    }

    /// Why nothing is shown, once all were looked through.
    pub(super) fn failure(self, wanted: &Wanted, zookeeper: &str, candidates: &Candidates) -> Failure {
        if let Some((_, failure)) = self.trouble {
            return failure;
        }
        let seen = match (candidates.over.as_slice(), candidates.elsewhere) {
            ([], 0) => "the ResourceManager knows of no application of maas_service that has ended".to_string(),
            ([], elsewhere) => format!(
                "all applications of maas_service that have ended ({elsewhere}) are of other places in ZooKeeper, or of other names of its servers (-zq, -zr)"
            ),
            ([one], _) => {
                format!(
                    "{}, the one application of maas_service that has ended here, left no logs of {}",
                    one.id, wanted.name
                )
            }
            (several, _) => format!(
                "none of the {} applications of maas_service that ended last left logs of {}",
                several.len(),
                wanted.name
            ),
        };
        let instance = wanted.instance.as_ref().map(|id| format!(" with the instance {id}")).unwrap_or_default();
        let still = still(candidates);
        let message =
            format!("no master leads at {zookeeper}, and {seen}{instance}{still}; name one with --application");
        let code = match &self.absence {
            Some((_, failure)) if failure.code() == ErrorCode::NoInstance => ErrorCode::NoInstance,
            _ => ErrorCode::NoLogs,
        };
        self.absence.iter().fold(Failure::new(code, message), |failure, (_, cause)| with_causes(failure, cause))
    }
}

/// What is said of one that has not ended.
pub(super) fn still(candidates: &Candidates) -> String {
    candidates.running.first().map(|report| format!("; {} is {}", report.id, report.state)).unwrap_or_default()
}

/// Why nothing is shown of an application that was named, that the ResourceManager says nothing of, and that HDFS has
/// nothing of. `silent`: why the ResourceManager was not heard; `unlisted`: why not all users' logs were looked through;
/// `trouble`: what else could not be read.
pub(super) fn not_found(
    id: ApplicationId,
    roots: &[String],
    silent: Option<&Failure>,
    unlisted: Option<&Failure>,
    trouble: Option<&Failure>,
) -> Failure {
    let roots = roots.join(", ");
    let message = match (silent, unlisted) {
        (Some(_), None) => format!("the ResourceManager does not answer, and {roots} has no logs of {id} by now"),
        (None, None) => format!(
            "the ResourceManager knows no {id}, and {roots} has no logs of it; `yarn application -list -appStates ALL` names those it knows"
        ),
        (Some(_), Some(_)) => format!("the ResourceManager does not answer, and who has logs of {id} can't be learnt"),
        (None, Some(_)) => format!("the ResourceManager knows no {id}, and who has logs of it can't be learnt"),
    };
    // Who may not look into every user's has most likely got the id wrong.
    let of_trouble = trouble.filter(|trouble| trouble.code() != ErrorCode::NotPermitted);
    let code = [silent, unlisted, of_trouble].into_iter().flatten().map(Failure::code).next();
    let failure = Failure::new(code.unwrap_or(ErrorCode::NoLogs), message);
    [silent, unlisted, trouble].into_iter().flatten().fold(failure, with_causes)
}

/// A failure in other words, with itself as the cause.
pub(super) fn beneath(message: String, failure: &Failure) -> Failure {
    with_causes(Failure::new(failure.code(), message), failure)
}

fn with_causes(failure: Failure, cause: &Failure) -> Failure {
    let causes = std::iter::once(cause.message()).chain(cause.causes().iter().map(String::as_str));
    causes.fold(failure, Failure::with_cause)
}

#[cfg(test)]
mod tests;
