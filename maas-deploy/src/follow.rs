//! Follows a request from the queue to its end, or as long as patience lasts; says on the way what each instance does.

use crate::changes::Changes;
use crate::context::{Cluster, note};
use crate::error::Error;
use crate::progress::Progress;
use crate::publish::Submitted;
use crate::report::{Outcome, Report};
use crate::wait::{Asked, Verdict, judge};
use maas_cli::ErrorCode;
use maas_client::model::ModelId;
use maas_client::picture::Picture;
use maas_client::state::{self, RequestRecord};
use maas_client::tree::TreeExt;
use std::time::Duration;
use tokio::time::Instant;

/// How long to follow, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Until a master has said yes or no, and not for long.
    Outcome,
    /// Until all is ready or gone, at most so long.
    Until(Duration),
}

/// How long a master may take to read a request before we go without its word.
const BRIEFLY: Duration = Duration::from_secs(3);

/// How following ended. The report says what became of the request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Followed {
    /// What became of it.
    pub(crate) report: Report,
    /// The master's record, once there is one.
    pub(crate) record: Option<RequestRecord>,
    /// What the program ends with.
    pub(crate) end: End,
}

/// What following ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As far as it was meant to go.
    Fine,
    /// Refused, under this code.
    Refused(ErrorCode),
    /// The model failed.
    Failed,
    /// Patience ran out.
    GaveUp,
    /// No node is large enough: more patience is of no use.
    NeverFits,
    /// Another request came in between.
    Superseded,
}

impl End {
    /// Whether what was asked for did not come, though a master may have agreed.
    pub(crate) fn is_in_vain(self) -> bool {
        matches!(self, End::Failed | End::GaveUp | End::NeverFits)
    }

    /// The program's exit code.
    pub(crate) fn exit(self) -> u8 {
        match self {
            End::Fine => maas_cli::exit::DONE,
            End::Refused(code) => code.exit(),
            End::Failed => ErrorCode::ModelFailed.exit(),
            End::GaveUp => ErrorCode::TimedOut.exit(),
            End::NeverFits => ErrorCode::NeverFits.exit(),
            End::Superseded => ErrorCode::Conflict.exit(),
        }
    }
}

/// Follows a request.
pub(crate) async fn follow(
    cluster: &Cluster,
    submitted: &Submitted,
    model: &ModelId,
    asked: &Asked,
    patience: Patience,
    mut progress: Progress,
) -> Result<Followed, Error> {
    let mut changes = Changes::below(&cluster.tree, &watched(cluster, submitted, model)).await?;
    let start = Instant::now();
    let deadline = match patience {
        Patience::Outcome => start + BRIEFLY,
        Patience::Until(long) => start + long,
    };
    let mut followed =
        Followed { report: Report::queued(&submitted.child, &submitted.id, model), record: None, end: End::Fine };
    let mut said_no_master = false;
    loop {
        match look(cluster, submitted, model, asked, patience, &mut followed, &mut progress).await {
            Ok(true) => break,
            Ok(false) => {}
            // The connection comes back, or patience runs out; nothing is lost meanwhile.
            Err(Error::Tree(error)) if error.is_retryable() && Instant::now() < deadline => {
                progress.say(&format!("{error}; trying again"));
            }
            Err(error) => return Err(error),
        }
        let is_queued = followed.report.outcome == Outcome::Queued;
        if is_queued && cluster.leader().await.is_ok_and(|leader| leader.is_none()) {
            if patience == Patience::Outcome {
                note(format!("no master leads at {}; the request waits in the queue for one", cluster.zookeeper));
                break;
            }
            if !said_no_master {
                said_no_master = true;
                progress.say(&format!(
                    "no master leads at {}; {} waits in the queue until one does (start one with maas_service)",
                    cluster.zookeeper, submitted.id
                ));
            }
        }
        if Instant::now() >= deadline {
            if patience != Patience::Outcome {
                followed.end = End::GaveUp;
            }
            break;
        }
        // Looks again now and then by itself: a watch may be lost with its connection.
        let next = (Instant::now() + Duration::from_secs(2)).min(deadline);
        let _rang = changes.changed(Some(next)).await;
    }
    progress.finish();
    Ok(followed)
}

fn watched(cluster: &Cluster, submitted: &Submitted, model: &ModelId) -> Vec<String> {
    let roots = &cluster.roots;
    vec![
        roots.request(&submitted.id),
        roots.rejection(&submitted.id),
        roots.desired(model),
        roots.instances(),
        roots.service(model.name.as_str()),
        roots.leader(),
    ]
}

/// One look; true when there is nothing more to wait for.
async fn look(
    cluster: &Cluster,
    submitted: &Submitted,
    model: &ModelId,
    asked: &Asked,
    patience: Patience,
    followed: &mut Followed,
    progress: &mut Progress,
) -> Result<bool, Error> {
    if followed.record.is_none() {
        match find_record(cluster, submitted).await? {
            Found::Record(record) => followed.record = Some(record),
            Found::Waiting => return Ok(false),
            Found::Rejected(reason) => {
                followed.report.outcome = Outcome::Refused;
                followed.report.because(ErrorCode::BadRequest.as_str(), reason);
                followed.end = End::Refused(ErrorCode::BadRequest);
                return Ok(true);
            }
            Found::TakenByAnother => {
                return look_at_another(cluster, model, asked, patience, followed, progress).await;
            }
        }
    }
    let Some(record) = followed.record.clone() else { return Ok(false) };
    if record.outcome == state::Outcome::Refused {
        let code = record.code.as_deref().and_then(|code| code.parse().ok()).unwrap_or(ErrorCode::BadRequest);
        followed.report.outcome = Outcome::Refused;
        followed.report.because(record.code.clone().unwrap_or_else(|| code.to_string()), record.reason.clone());
        followed.end = End::Refused(code);
        return Ok(true);
    }
    let picture = Picture::read(&cluster.tree, &cluster.roots, Some(&model.name)).await?;
    let version = picture.version(model);
    progress.show(model, version);
    followed.report.outcome = Outcome::Accepted;
    let reason = version.and_then(|version| version.reason());
    followed.report.reason_code = reason.map(|reason| reason.code.to_string());
    followed.report.reason =
        reason.map(|reason| reason.text.clone()).or_else(|| (!record.reason.is_empty()).then(|| record.reason.clone()));
    let verdict = judge(&record, version);
    let settled = match verdict {
        Verdict::Waiting => patience == Patience::Outcome,
        Verdict::Done => {
            followed.report.outcome = Outcome::Done;
            followed.report.reason_code = None;
            followed.report.reason = (!record.reason.is_empty()).then(|| record.reason.clone());
            true
        }
        Verdict::Failed(reason) => {
            if patience != Patience::Outcome {
                followed.end = End::Failed;
            }
            followed.report.outcome = Outcome::Failed;
            followed.report.because(reason.code.to_string(), reason.text);
            true
        }
        Verdict::NeverFits(reason) => {
            if patience != Patience::Outcome {
                followed.end = End::NeverFits;
            }
            followed.report.because(reason.code.to_string(), reason.text);
            true
        }
        Verdict::Superseded { wanted, by } => {
            if patience != Patience::Outcome {
                followed.end = End::Superseded;
            }
            let text = format!("{by} came in between: {wanted} wanted now, {} were asked for", record.after);
            followed.report.because(ErrorCode::Conflict.as_str(), text);
            true
        }
    };
    followed.report.look_at(version);
    Ok(settled)
}

/// Another program's master leaves no record: what it does is seen by what it registers.
async fn look_at_another(
    cluster: &Cluster,
    model: &ModelId,
    asked: &Asked,
    patience: Patience,
    followed: &mut Followed,
    progress: &mut Progress,
) -> Result<bool, Error> {
    let picture = Picture::read(&cluster.tree, &cluster.roots, Some(&model.name)).await?;
    let version = picture.version(model);
    if followed.report.outcome != Outcome::Taken {
        followed.report.outcome = Outcome::Taken;
        followed.report.reason = Some("only what it registers tells what becomes of it; see LIST".to_string());
        progress.say("another program's master has taken the request; waiting for what it registers");
    }
    followed.report.look_at_registered(version);
    if patience != Patience::Outcome && asked.is_seen_in(version) {
        followed.report.outcome = Outcome::Done;
        followed.report.reason = None;
        return Ok(true);
    }
    Ok(patience == Patience::Outcome)
}

enum Found {
    Record(RequestRecord),
    Waiting,
    Rejected(String),
    TakenByAnother,
}

async fn find_record(cluster: &Cluster, submitted: &Submitted) -> Result<Found, Error> {
    let (tree, roots) = (&cluster.tree, &cluster.roots);
    // The record appears in the transaction that takes the request away: whoever sees it gone looks once more.
    for _ in 0..2 {
        if let Some((record, _)) = tree.get_json::<RequestRecord>(&roots.request(&submitted.id)).await? {
            return match record {
                Ok(record) => Ok(Found::Record(original(cluster, record).await?)),
                Err(error) => Ok(Found::Rejected(format!("the master's record can't be read: {error}"))),
            };
        }
        if let Some((rejected, _)) = tree.get_json::<state::Rejected>(&roots.rejection(&submitted.id)).await? {
            return Ok(Found::Rejected(rejected.map_or_else(|error| error.to_string(), |rejected| rejected.reason)));
        }
        match tree.get(&roots.queue_child(&submitted.child)).await {
            // With credentials only masters may read it; that it is there is all that matters.
            Ok(Some(_)) | Err(maas_client::tree::Error::NoAuth { .. }) => return Ok(Found::Waiting),
            Ok(None) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Found::TakenByAnother)
}

/// A duplicate stands for the request it repeats.
async fn original(cluster: &Cluster, record: RequestRecord) -> Result<RequestRecord, Error> {
    let Some(first) = record.duplicate_of.clone().filter(|_| record.outcome == state::Outcome::Duplicate) else {
        return Ok(record);
    };
    match cluster.tree.get_json::<RequestRecord>(&cluster.roots.request(&first)).await? {
        Some((Ok(mut original), _)) => {
            if original.outcome != state::Outcome::Refused {
                original.reason = format!("repeats {first}, which was done already");
            }
            Ok(original)
        }
        _ => Ok(record),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use maas_client::config::Roots;
    use maas_client::registry::{Registration, default_functions};
    use maas_client::request::Action;
    use maas_client::tree::memory::MemoryServer;
    use maas_client::tree::{Access, Mode};

    fn submitted() -> Submitted {
        Submitted { child: "qn-0000000000".into(), id: "qn-0000000000-5".into() }
    }

    /// A queue whose request a master of another program has taken.
    async fn taken() -> Cluster {
        let cluster =
            Cluster { tree: MemoryServer::new().session(), roots: Roots::default(), zookeeper: "memory".into() };
        cluster.tree.ensure_path(&cluster.roots.queue, Access::WorldCreates).await.unwrap();
        cluster.tree.ensure_path(&cluster.roots.service("dga"), Access::Open).await.unwrap();
        cluster
    }

    async fn register(cluster: &Cluster, id: &str) {
        let registration = Registration {
            model: testing::model("dga", "1.0"),
            id: id.into(),
            url: "http://node7:1".into(),
            functions: default_functions(),
            registered_ms: 0,
        };
        let path = cluster.roots.registration("dga", id);
        cluster.tree.create(&path, registration.encode(), Mode::Ephemeral, Access::Open).await.unwrap();
    }

    async fn followed(cluster: &Cluster, patience: Patience) -> Followed {
        let asked = Asked { action: Action::Add, count: 1, before: ["1".to_string()].into() };
        let model = testing::model("dga", "1.0");
        follow(cluster, &submitted(), &model, &asked, patience, Progress::Silent).await.unwrap()
    }

    #[tokio::test]
    async fn a_request_that_another_programs_master_took_is_said_to_be_taken_at_once() {
        let cluster = taken().await;
        let followed = followed(&cluster, Patience::Outcome).await;
        assert_eq!((followed.report.outcome, followed.end), (Outcome::Taken, End::Fine));
        assert!(followed.report.line().starts_with("dga 1.0: taken by another program's master"));
    }

    #[tokio::test]
    async fn waiting_for_another_programs_master_follows_its_registrations() {
        let cluster = taken().await;
        register(&cluster, "1").await;
        let patience = Patience::Until(Duration::from_millis(20));
        let gave_up = followed(&cluster, patience).await;
        assert_eq!((gave_up.report.outcome, gave_up.end), (Outcome::Taken, End::GaveUp));
        let (done, ()) =
            tokio::join!(followed(&cluster, Patience::Until(Duration::from_secs(60))), register(&cluster, "2"));
        assert_eq!((done.report.outcome, done.end), (Outcome::Done, End::Fine));
        assert_eq!(done.report.line(), "dga 1.0: 2 ready");
    }
}
