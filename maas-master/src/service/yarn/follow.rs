//! Follows an application from its submission until it runs, or until it ends.

use super::refused;
use crate::cli::ServiceArgs;
use crate::error::Error;
use crate::service::announce::note;
use hadoop_yarn::client::ResourceManager;
use hadoop_yarn::types::{ApplicationId, ApplicationReport, ApplicationState, FinalStatus};
use maas_cli::output::Out;
use maas_cli::{ErrorCode, exit};
use serde::Serialize;
use std::time::Duration;
use tokio::time::Instant;

/// Between looks while it is about to run, and once it runs.
const LOOKS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(1));
/// How often it is said what is waited for.
const SAY_EVERY: Duration = Duration::from_secs(30);

/// The longest part of YARN's own words that is shown.
const LONGEST: usize = 400;

/// A line of `--json`.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Line<'a> {
    /// YARN has it.
    Submitted { application: String },
    /// Its master is registered.
    Running { application: String, tracking_url: &'a str, http: &'a str },
    /// It has ended.
    Finished { application: String, state: String, diagnostics: &'a str },
}

/// Follows it; 7 when it fails, 5 when it does not run in time.
pub(super) async fn follow(
    cluster: &ResourceManager,
    id: ApplicationId,
    service: &ServiceArgs,
    json: bool,
) -> Result<u8, Error> {
    say(json, &Line::Submitted { application: id.to_string() }, &format!("submitted {id}"))?;
    let deadline = service.timeout.map(|ms| Instant::now() + Duration::from_millis(ms));
    let mut told = Instant::now();
    let running = loop {
        let report = look(cluster, id).await?;
        if report.state == ApplicationState::Running {
            break report;
        }
        if report.state.is_over() {
            return Err(failed(&report));
        }
        if deadline.is_some_and(|at| Instant::now() >= at) {
            return Err(given_up(cluster, id, &report, service.timeout.unwrap_or_default()).await);
        }
        if told.elapsed() >= SAY_EVERY {
            told = Instant::now();
            note(&format!("{id} is {}{}", report.state, because(&report)));
        }
        tokio::time::sleep(LOOKS.0).await;
    };
    let tracking_url = running.tracking_url.as_deref().unwrap_or_default();
    let http = running.original_tracking_url.as_deref().unwrap_or_default();
    let line = Line::Running { application: id.to_string(), tracking_url, http };
    say(json, &line, &format!("{id} runs; {tracking_url} ({http})"))?;
    if !service.attach {
        return Ok(exit::DONE);
    }
    loop {
        let report = look(cluster, id).await?;
        if report.state.is_over() {
            return ended(&report, json);
        }
        tokio::time::sleep(LOOKS.1).await;
    }
}

async fn look(cluster: &ResourceManager, id: ApplicationId) -> Result<ApplicationReport, Error> {
    cluster.report(id).await.map_err(|error| refused(format!("YARN can't say how {id} is"), error))
}

fn ended(report: &ApplicationReport, json: bool) -> Result<u8, Error> {
    if report.final_status != FinalStatus::Succeeded {
        return Err(failed(report));
    }
    let state = format!("{}/{}", report.state, report.final_status);
    let words = format!("{} has ended: {state}{}", report.id, because(report));
    say(json, &Line::Finished { application: report.id.to_string(), state, diagnostics: &report.diagnostics }, &words)?;
    Ok(exit::DONE)
}

fn failed(report: &ApplicationReport) -> Error {
    Error::Cluster {
        what: format!("{} is {}/{}{}", report.id, report.state, report.final_status, because(report)),
        code: ErrorCode::ApplicationFailed,
        source: None,
    }
}

async fn given_up(cluster: &ResourceManager, id: ApplicationId, report: &ApplicationReport, ms: u64) -> Error {
    let what = format!("{id} did not run within {ms} ms and was killed; it was {}{}", report.state, because(report));
    match cluster.kill(id, "it did not run within the time that -t gave").await {
        Ok(_) => Error::Cluster { what, code: ErrorCode::TimedOut, source: None },
        Err(error) => refused(format!("{id} did not run within {ms} ms and can't be killed"), error),
    }
}

/// What YARN says of it, in one line.
fn because(report: &ApplicationReport) -> String {
    let words = told(&report.diagnostics);
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

/// The master's own last words where YARN repeats them, else the beginning of YARN's.
fn told(diagnostics: &str) -> String {
    let own = diagnostics.rsplit_once("\nerror: ").map(|(_, rest)| rest.split("\n\n").next().unwrap_or(rest));
    let words: Vec<&str> = own.unwrap_or(diagnostics).split_whitespace().collect();
    words.join(" ").chars().take(LONGEST).collect()
}

fn say(json: bool, line: &Line<'_>, words: &str) -> Result<(), Error> {
    if !json {
        note(words);
        return Ok(());
    }
    Out::stdout().json(line).map_err(|source| Error::System { doing: "write to standard output", source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_masters_own_error_is_shown_rather_than_all_that_yarn_repeats() {
        let long = "Application application_1_0001 failed 3 times due to AM Container\nFailing this attempt.Diagnostics: \n\
                    Last 4096 bytes of maas_master.stderr :\nINFO leading\nerror: the state has format 7\n  caused by: a\n\n\nFor more";
        assert_eq!(told(long), "the state has format 7 caused by: a");
        assert_eq!(
            told("submitted by user root to\n unknown queue: nope"),
            "submitted by user root to unknown queue: nope"
        );
        assert_eq!(told(&"x".repeat(1000)).len(), LONGEST);
    }
}
