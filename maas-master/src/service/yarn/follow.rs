//! Hands an application over and follows it, from its submission until it runs, or until it ends.

use super::leading::{SAY_EVERY, until_it_leads};
use super::limit::Limit;
use super::refused;
use crate::cli::Cli;
use crate::error::Error;
use crate::service::announce::note;
use hadoop_yarn::client::ResourceManager;
use hadoop_yarn::rpc::ExceptionKind;
use hadoop_yarn::types::{ApplicationId, ApplicationReport, ApplicationState, FinalStatus, Submission};
use maas_cli::output::Out;
use maas_cli::{ErrorCode, exit};
use serde::Serialize;
use std::time::Duration;
use tokio::time::Instant;

/// Between looks while it is about to run, and once it runs.
const LOOKS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(1));

/// How long YARN is asked to kill what did not run in time.
const KILLING: Duration = Duration::from_secs(10);
/// For how long what YARN does not know may still come to it: a submission that was cut off is perhaps under way.
const UNDER_WAY: Duration = Duration::from_secs(2);
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

/// Hands it over and follows it; 7 when it fails, 5 when it does not run in time.
pub(super) async fn follow(
    cluster: &ResourceManager,
    submission: &Submission,
    cli: &Cli,
    limit: Limit,
    json: bool,
) -> Result<u8, Error> {
    let (id, mut seen) = (submission.id, None);
    let leads = async {
        let running = runs(cluster, submission, json, &mut seen).await?;
        until_it_leads(cli, &id.to_string(), async || {
            let report = look(cluster, id).await?;
            if report.state.is_over() { Err(failed(&report)) } else { Ok(()) }
        })
        .await?;
        Ok::<_, Error>(running)
    };
    let running = match limit.bound(leads).await {
        Some(running) => running?,
        None => return Err(given_up(cluster, id, seen.as_ref(), limit).await),
    };
    let tracking_url = running.tracking_url.as_deref().unwrap_or_default();
    let http = running.original_tracking_url.as_deref().unwrap_or_default();
    let line = Line::Running { application: id.to_string(), tracking_url, http };
    say(json, &line, &format!("{id} runs; {tracking_url} ({http})"))?;
    if !cli.service.attach {
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

/// Hands it over and waits until it runs. What was seen of it last is kept in `seen`.
async fn runs(
    cluster: &ResourceManager,
    submission: &Submission,
    json: bool,
    seen: &mut Option<ApplicationReport>,
) -> Result<ApplicationReport, Error> {
    let id = submission.id;
    let not_taken = |error| refused(format!("YARN refuses {id}"), error);
    cluster.submit(submission).await.map_err(not_taken)?;
    say(json, &Line::Submitted { application: id.to_string() }, &format!("submitted {id}"))?;
    let mut report = cluster.stored(submission).await.map_err(not_taken)?;
    let mut told = Instant::now();
    loop {
        if report.state == ApplicationState::Running {
            return Ok(report);
        }
        if report.state.is_over() {
            return Err(failed(&report));
        }
        if told.elapsed() >= SAY_EVERY {
            told = Instant::now();
            note(&format!("{id} is {}{}", report.state, because(&report)));
        }
        *seen = Some(report);
        tokio::time::sleep(LOOKS.0).await;
        report = look(cluster, id).await?;
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

async fn given_up(
    cluster: &ResourceManager,
    id: ApplicationId,
    seen: Option<&ApplicationReport>,
    limit: Limit,
) -> Error {
    let late = format!("{id} did not run within {limit}");
    let how = seen
        .map_or_else(|| "it was not stored yet".to_string(), |seen| format!("it was {}{}", seen.state, because(seen)));
    let killed = kill(
        async || cluster.kill(id, "it did not run within the time that -t gave").await,
        |error| error.kind() == Some(ExceptionKind::ApplicationNotFound),
    );
    let what = match tokio::time::timeout(KILLING, killed).await {
        Ok(Ok(_)) => format!("{late} and was killed; {how}"),
        Ok(Err(error)) if error.kind() == Some(ExceptionKind::ApplicationNotFound) => {
            format!("{late}; YARN has nothing of it")
        }
        Ok(Err(error)) => return refused(format!("{late} and can't be killed"), error),
        Err(_) => format!("{late}, and YARN does not answer the order to kill it; {how}"),
    };
    Error::Cluster { what, code: ErrorCode::TimedOut, source: None }
}

/// Orders it killed, again and again for a while as long as YARN does not know it.
async fn kill<E>(order: impl AsyncFn() -> Result<bool, E>, is_unknown: impl Fn(&E) -> bool) -> Result<bool, E> {
    let began = Instant::now();
    loop {
        match order().await {
            Err(error) if is_unknown(&error) && began.elapsed() < UNDER_WAY => tokio::time::sleep(LOOKS.0).await,
            outcome => return outcome,
        }
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
    use std::cell::Cell;

    #[tokio::test(start_paused = true)]
    async fn what_yarn_takes_a_moment_after_the_time_is_killed_too() {
        let orders = Cell::new(0);
        let late = async || {
            orders.set(orders.get() + 1);
            if orders.get() < 4 { Err("unknown") } else { Ok(true) }
        };
        assert_eq!(kill(late, |error| *error == "unknown").await, Ok(true));
        let began = Instant::now();
        assert_eq!(kill(async || Err("unknown"), |error| *error == "unknown").await, Err("unknown"));
        assert!((UNDER_WAY..2 * UNDER_WAY).contains(&began.elapsed()), "{:?}", began.elapsed());
        let began = Instant::now();
        assert_eq!(kill(async || Err("forbidden"), |error| *error == "unknown").await, Err("forbidden"));
        assert!(began.elapsed() < LOOKS.0);
    }

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
