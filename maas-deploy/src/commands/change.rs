//! What ADD, REMOVE and SCALE share: submit, follow, print, and say how to go on when it did not work out.

use crate::context::{Cluster, Context, note};
use crate::error::Error;
use crate::follow::{End, Followed, Patience, follow};
use crate::http::Target;
use crate::progress::Progress;
use crate::publish::{self, Submitted, submit};
use crate::report::{Outcome, Report, newest_failed};
use crate::wait::Asked;
use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure};
use maas_client::model::ModelId;
use maas_client::picture::Picture;
use maas_client::reason::{InstanceState, plural};
use maas_client::request::{Action, Extra, ModelRequest, Resources};
use maas_client::tree;
use std::io::Write;
use std::time::Duration;

/// How long `--wait` without a number waits, s.
pub(crate) const DEFAULT_WAIT_S: &str = "600";
/// Lines shown of a failed instance's stderr.
const TAIL_LINES: &str = "20";
/// Longest such text, bytes.
const TAIL_BYTES: usize = 64 << 10;

/// Patience from `--wait [S]`.
pub(crate) fn patience(wait: Option<u64>) -> Patience {
    wait.map_or(Patience::Outcome, |seconds| Patience::Until(Duration::from_secs(seconds)))
}

/// A request and how it went.
pub(crate) struct Carried {
    /// As it stands in the queue.
    pub(crate) submitted: Submitted,
    /// What was asked.
    pub(crate) asked: Asked,
    /// What became of it.
    pub(crate) followed: Followed,
}

/// Submits and follows. `key` is `--request-id`'s.
pub(crate) async fn carry_out(
    cluster: &Cluster,
    request: ModelRequest,
    key: Option<&str>,
    patience: Patience,
) -> Result<Carried, Error> {
    let is_ours = cluster.is_ours().await?;
    let model = request.model.clone();
    let request = publish::address(request, is_ours, key, maas_cli::who::user_at_host())?;
    let picture = Picture::read(&cluster.tree, &cluster.roots, Some(&model.name)).await?;
    let registered = picture.version(&model).into_iter().flat_map(|version| &version.endpoints);
    let before = registered.map(|endpoint| endpoint.id.to_string()).collect();
    let asked = Asked { action: request.action, count: request.num_instances, before };
    let submitted = submit(cluster, &request).await?;
    let progress = if patience == Patience::Outcome { Progress::Silent } else { Progress::for_stderr() };
    let followed = follow(cluster, &submitted, &model, &asked, patience, progress).await?;
    Ok(Carried { submitted, asked, followed })
}

/// Prints the document or the lines.
pub(crate) fn print<W: Write>(context: &Context, report: &Report, out: &mut Out<W>) -> Result<(), Error> {
    if context.json() {
        out.json(report)?;
    } else if report.outcome != Outcome::Refused {
        out.line(report.line())?;
        if report.outcome == Outcome::Done {
            for url in report.urls() {
                out.line(url)?;
            }
        }
    }
    Ok(())
}

/// The end of the verb: nothing when all went well, else what happened and how to go on.
pub(crate) async fn conclude(context: &Context, cluster: &Cluster, followed: &Followed) -> Result<(), Error> {
    let report = &followed.report;
    let model = format!("{} {}", report.model, report.version);
    let why = report.reason.clone().unwrap_or_else(|| "no reason is known".to_string());
    let failure = match followed.end {
        End::Fine => return Ok(()),
        End::Refused(code) => Failure::new(code, why).with_cause(format!("request {}", report.id)),
        End::Superseded => Failure::new(ErrorCode::Conflict, format!("{model}: {why}")),
        End::Failed => Failure::new(ErrorCode::ModelFailed, format!("{model} failed: {why}")),
        End::GaveUp if report.outcome == Outcome::Queued => {
            let text = format!("{model}: no master has read the request; it stays queued as {}", report.id);
            Failure::new(ErrorCode::TimedOut, text)
        }
        End::GaveUp if report.outcome == Outcome::Taken => {
            let text = format!(
                "{model}: another program's master has taken the request, and has not registered what was asked; {} registered",
                plural(report.instances.len() as u64, "instance")
            );
            Failure::new(ErrorCode::TimedOut, text)
        }
        End::NeverFits => Failure::new(ErrorCode::NeverFits, format!("{model}: {why}")),
        End::GaveUp => Failure::new(ErrorCode::TimedOut, format!("gave up waiting for {model}: {why}")),
    };
    failure.print();
    if followed.end.is_in_vain() && !matches!(report.outcome, Outcome::Queued | Outcome::Taken) {
        explain(context, cluster, report).await;
    }
    Err(Error::Exit(followed.end.exit()))
}

/// Host, state, reason and last words of the instance that says most, and two commands to go on with. Whatever can't be
/// found out is left out: the failure itself has been said.
async fn explain(context: &Context, cluster: &Cluster, report: &Report) {
    let model = ModelId { name: report.model.clone(), version: report.version.clone() };
    let picture = Picture::read(&cluster.tree, &cluster.roots, Some(&model.name)).await.unwrap_or_default();
    let subject = picture.version(&model).and_then(|version| {
        let failed = newest_failed(version).map(|ended| {
            let reason = ended.reason.as_ref().map(|reason| reason.text.clone());
            (ended.id.clone(), ended.host.clone(), ended.state, reason, ended.exit_code)
        });
        failed.or_else(|| {
            let live = version.instances.iter().rfind(|instance| instance.state() != InstanceState::Ready)?;
            let reason = live.reason().map(|reason| reason.text);
            Some((live.id.clone(), live.host().to_string(), live.state(), reason, None))
        })
    });
    if let Some((id, host, state, reason, exit)) = &subject {
        let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let exit = exit.map(|exit| format!(" (exit {exit})")).unwrap_or_default();
        // One that waits for its place has no host yet.
        let place = if host.is_empty() { String::new() } else { format!(" on {host}") };
        note(format!("instance {id}{place}: {state}{reason}{exit}"));
        match stderr_tail(context, cluster, id).await {
            Ok(tail) if tail.is_empty() => note("it wrote nothing to stderr"),
            Ok(tail) => {
                note("the last lines of its stderr:");
                for line in tail {
                    note(format!("  | {line}"));
                }
            }
            Err(error) => note(format!("its stderr can't be had: {}", error.into_failure())),
        }
    }
    let zookeeper = context.globals.zookeeper.zookeeper.as_deref();
    let program = zookeeper.map_or_else(|| "maas_deploy".to_string(), |hosts| format!("maas_deploy -zq {hosts}"));
    let instance = subject.map(|subject| format!(" --instance {}", subject.0)).unwrap_or_default();
    note("go on with:");
    let first = if instance.is_empty() { "status" } else { "logs" };
    note(format!("  {program} {first} -n {} -v {}{instance}", model.name, model.version));
    note(format!("  {program} events -n {} -v {}", model.name, model.version));
}

async fn stderr_tail(context: &Context, cluster: &Cluster, id: &str) -> Result<Vec<String>, Error> {
    let api = context.master(Some(cluster)).await?;
    let target = Target::api(&["instances", id, "logs"]).with("stream", "stderr").with("tail", TAIL_LINES);
    let read = async {
        let mut stream = api.stream(target).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = stream.next().await? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > TAIL_BYTES {
                break;
            }
        }
        Ok::<_, Error>(bytes)
    };
    let bytes = match tokio::time::timeout(Duration::from_secs(10), read).await {
        Ok(bytes) => bytes?,
        Err(_) => return Err(Error::say(ErrorCode::MasterUnreachable, "the master did not answer in 10 s")),
    };
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().map(|line| line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()).collect())
}

/// `--atomic`: takes back what a request added, whether a master has read it or not. Gives how many are wanted then,
/// where a master has said it.
pub(crate) async fn withdraw(cluster: &Cluster, carried: &Carried, model: &ModelId) -> Result<Option<u32>, Error> {
    if carried.followed.report.outcome == Outcome::Taken {
        let request = remove_request(model.clone(), carried.asked.count, false);
        let removal = Box::pin(carry_out(cluster, request, None, Patience::Outcome)).await?;
        let id = &removal.submitted.id;
        note(format!("--atomic: asked the master that took it to remove {} again ({id})", carried.asked.count));
        return Ok(None);
    }
    let Some(record) = &carried.followed.record else {
        let path = cluster.roots.queue_child(&carried.submitted.child);
        match cluster.tree.multi(vec![tree::Op::delete(path, None)]).await {
            Ok(_) => {
                note(format!("--atomic: took the request {} back from the queue", carried.submitted.id));
                return Ok(carried.followed.report.wanted);
            }
            Err(failed) => {
                let message = format!("--atomic: {} could not be taken back from the queue", carried.submitted.id);
                return Err(Failure::new(ErrorCode::Conflict, message).because(&failed).into());
            }
        }
    };
    let added = record.after.saturating_sub(record.before);
    if added == 0 {
        return Ok(Some(record.after));
    }
    let request = remove_request(model.clone(), added, false);
    let carried = carry_out(cluster, request, None, Patience::Outcome).await?;
    let id = &carried.submitted.id;
    note(format!(
        "--atomic: withdrew the {added} that this request added ({id}); before it {} were wanted",
        record.before
    ));
    Ok(carried.followed.record.map(|removal| removal.after))
}

/// A REMOVE of so many.
pub(crate) fn remove_request(model: ModelId, count: u32, purge: bool) -> ModelRequest {
    ModelRequest {
        model,
        action: Action::Remove,
        num_instances: count,
        resources: Resources { memory_mb: 0, ..Resources::default() },
        path: None,
        extra: Extra { purge, ..Extra::default() },
    }
}
