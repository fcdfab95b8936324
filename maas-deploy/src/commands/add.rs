//! ADD: checks a model directory, uploads it, asks for instances, and follows them to readiness.

use crate::check::{self, MAX_AT_ONCE};
use crate::choose::{callers_note, metron_note};
use crate::commands::change;
use crate::context::{Cluster, Context, note};
use crate::error::Error;
use crate::follow::Patience;
use crate::payload::{self, Asked, Payload};
use crate::report::Outcome;
use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure};
use maas_client::model::ModelId;
use maas_client::picture::{Picture, VersionPicture};
use maas_client::request::{Action, Extra, ModelRequest, Resources};
use std::io::Write;
use std::path::PathBuf;

/// Options of ADD.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy -zq node1:2181 -mo ADD -lmp examples/mock_dga -hmp /user/root/models -m 512 -n dga -v 1.0 -ni 1
  maas_deploy add -n dga -v 2.0 -m 512 -ni 4 -lmp ./dga --wait
  maas_deploy add -n dga -v 2.0 -m 512 -ni 1 --wait 120 --atomic
  maas_deploy add -n fraud -v 1.0 -m 8192 -ni 2 -lmp ./fraud --gpus 1 --env A=3 --secret KEY=/etc/fraud.key")]
pub(crate) struct Args {
    /// The model's name
    #[arg(short = 'n', long)]
    name: String,

    /// Its version; a published version never changes
    #[arg(long, value_name = "VERSION")]
    model_version: String,

    /// Memory of an instance; maas.json may say it instead
    #[arg(short = 'm', long, value_name = "MB", allow_negative_numbers = true)]
    memory: Option<i64>,

    /// How many more instances shall run
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    num_instances: i64,

    /// The model directory to upload; without it what is in the store counts
    #[arg(long, value_name = "DIR")]
    local_model_path: Option<PathBuf>,

    /// Where in the store: the payload goes to PATH/NAME/VERSION [default: /models, HDFS: /user/USER/models]
    #[arg(long, value_name = "PATH")]
    hdfs_model_path: Option<String>,

    /// The model store, e.g. file:///var/lib/maas/store; else the one the master names
    #[arg(long, value_name = "URL")]
    store: Option<String>,

    /// Virtual cores of an instance
    #[arg(long, value_name = "N")]
    vcores: Option<u32>,

    /// Whole GPUs of an instance
    #[arg(long, value_name = "N")]
    gpus: Option<u32>,

    /// Node label it must run on
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,

    /// A variable of the model's environment; not for secrets
    #[arg(long, value_name = "K=V")]
    env: Vec<String>,

    /// A file with variables, K=V a line
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,

    /// A variable whose value the runner reads from FILE when the model starts; only the path is stored
    #[arg(long, value_name = "K=FILE")]
    secret: Vec<String>,

    /// Wait until all are ready, S seconds at most
    #[arg(long, value_name = "S", num_args = 0..=1, default_missing_value = change::DEFAULT_WAIT_S)]
    wait: Option<u64>,

    /// With --wait: when they do not get ready, take back what this request added
    #[arg(long)]
    atomic: bool,

    /// Give a running version other resources or another environment
    #[arg(long)]
    update: bool,

    /// A key under which this request is done once at most, however often it is sent
    #[arg(long, value_name = "KEY")]
    request_id: Option<String>,
}

/// Adds.
pub(crate) async fn run<W: Write>(context: &Context, args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let model = check::model(&args.name, &args.model_version)?;
    let count = check::count(args.num_instances, 1, MAX_AT_ONCE)?;
    let memory = args.memory.map(check::memory).transpose()?;
    let key = args.request_id.as_deref().map(check::key).transpose()?;
    let extra = Extra {
        env: check::environment(&args.env, args.env_file.as_deref())?,
        secrets: check::secrets(&args.secret)?,
        update: args.update,
        ..Extra::default()
    };
    let prepared = match &args.local_model_path {
        Some(dir) => Some(payload::prepare(dir).await?),
        None => None,
    };
    if let Some(prepared) = &prepared {
        // Before anything is sent: memory is needed from somewhere.
        resources(&args, memory, Some(&prepared.asked))?;
    }

    let cluster = context.connect().await?;
    let before = Picture::read(&cluster.tree, &cluster.roots, Some(&model.name)).await?;
    let version = before.version(&model);
    let payload = match prepared {
        Some(prepared) => {
            let wanted = resources(&args, memory, Some(&prepared.asked))?;
            check_resources(version, &wanted, args.update)?;
            let store = payload::open(&store_url(&cluster, &args).await?)?;
            let path = payload::version_path(&base(&args, &store.url()), &model)?;
            if let Some(running) = running_elsewhere(version, path.as_str(), prepared.manifest.digest()) {
                let difference = payload::difference(store, running, &prepared.manifest).await;
                return Err(other_content(&model, running, difference.as_deref()));
            }
            payload::upload(store, path, prepared).await?
        }
        None => stored(&cluster, &args, &model, version).await?,
    };
    let resources = resources(&args, memory, payload.resources.as_ref())?;
    check_resources(version, &resources, args.update)?;
    if let Some(running) = payload.digest.as_deref().and_then(|new| running_elsewhere(version, "", new)) {
        return Err(other_content(&model, running, None));
    }

    let request = ModelRequest {
        model: model.clone(),
        action: Action::Add,
        num_instances: count,
        resources,
        path: Some(payload.path),
        extra: Extra { digest: payload.digest, ..extra },
    };
    // --atomic is about how a wait ends.
    let default_wait = change::DEFAULT_WAIT_S.parse().ok().filter(|_| args.atomic);
    let patience = change::patience(args.wait.or(default_wait));
    let carried = change::carry_out(&cluster, request, key, patience).await?;
    let withdraws = args.atomic && carried.followed.end.is_in_vain() && patience != Patience::Outcome;
    let report = &carried.followed.report;
    if !withdraws {
        change::print(context, report, out)?;
    }
    if report.outcome != Outcome::Refused {
        let notes = [callers_note(&before, &model, report.outcome == Outcome::Done), metron_note(&before, &model)];
        notes.into_iter().flatten().for_each(note);
    }
    let end = change::conclude(context, &cluster, &carried.followed).await;
    if withdraws {
        let withdrawn = change::withdraw(&cluster, &carried, &model).await;
        let mut report = report.clone();
        if let Ok(wanted) = &withdrawn {
            // Of another program's master it is only asked.
            report.withdrawn = report.outcome != Outcome::Taken;
            report.wanted = *wanted;
        }
        change::print(context, &report, out)?;
        if let Err(error) = withdrawn {
            // Said beside the document, which is printed already.
            let failure = error.into_failure();
            failure.print();
            return Err(Error::Exit(failure.exit()));
        }
    }
    end
}

/// Options over settings over defaults.
fn resources(args: &Args, memory: Option<u64>, asked: Option<&Asked>) -> Result<Resources, Error> {
    let settings = asked.map(|asked| asked.resources.clone()).unwrap_or_default();
    let said = asked.filter(|asked| asked.says_memory).map(|asked| asked.resources.memory_mb);
    let memory_mb = memory.or(said).ok_or_else(|| {
        Error::say(ErrorCode::Usage, "-m MB is missing: the memory of an instance; maas.json may say it instead")
    })?;
    Ok(Resources {
        memory_mb,
        vcores: args.vcores.unwrap_or(settings.vcores),
        gpus: args.gpus.unwrap_or(settings.gpus),
        label: args.label.clone().unwrap_or(settings.label),
    })
}

/// A running version keeps its resources unless `--update` is given.
fn check_resources(version: Option<&VersionPicture>, wanted: &Resources, update: bool) -> Result<(), Error> {
    let running = version.and_then(|version| Some((&version.model, version.desired.as_ref()?)));
    let Some((model, desired)) = running.filter(|(_, desired)| desired.count > 0) else { return Ok(()) };
    if desired.resources != *wanted && !update {
        let message = format!(
            "{model} runs with {}, asked for are {}; give the same, or --update to change them",
            described(&desired.resources),
            described(wanted)
        );
        return Err(Failure::new(ErrorCode::ConflictResources, message).into());
    }
    Ok(())
}

/// The path a version runs from with other content than `digest`, when that is not `path` (there the store itself says
/// what differs).
fn running_elsewhere<'a>(version: Option<&'a VersionPicture>, path: &str, digest: &str) -> Option<&'a str> {
    let desired = version.and_then(|version| version.desired.as_ref()).filter(|desired| desired.count > 0)?;
    let other = desired.digest.as_deref().is_some_and(|running| running != digest);
    (other && desired.path != path).then_some(desired.path.as_str())
}

/// A running version keeps its content.
fn other_content(model: &ModelId, path: &str, difference: Option<&str>) -> Error {
    let difference = difference.map(|difference| format!(": {difference}")).unwrap_or_default();
    let message = format!(
        "{model} runs with other content, from {path}{difference}; choose another version, or REMOVE it with --purge first"
    );
    Failure::new(ErrorCode::ConflictContent, message).into()
}

fn described(resources: &Resources) -> String {
    let mut text = format!("{} MB, {} vcores", resources.memory_mb, resources.vcores);
    if resources.gpus > 0 {
        text.push_str(&format!(", {} GPUs", resources.gpus));
    }
    if !resources.label.is_empty() {
        text.push_str(&format!(", label {}", resources.label));
    }
    text
}

async fn known_store(cluster: &Cluster, args: &Args) -> Result<Option<String>, Error> {
    match &args.store {
        Some(url) => Ok(Some(url.clone())),
        None => Ok(cluster.said().await?.map(|said| said.store)),
    }
}

async fn store_url(cluster: &Cluster, args: &Args) -> Result<String, Error> {
    known_store(cluster, args).await?.ok_or_else(|| {
        let message = format!(
            "no master has said at {} where models are stored; start maas_service, or give --store URL",
            cluster.zookeeper
        );
        Error::say(ErrorCode::NoMaster, message)
    })
}

fn base(args: &Args, store: &str) -> String {
    args.hdfs_model_path.clone().unwrap_or_else(|| payload::default_base(store, &maas_cli::who::user()))
}

/// The payload of an ADD without `-lmp`.
async fn stored(
    cluster: &Cluster,
    args: &Args,
    model: &ModelId,
    version: Option<&VersionPicture>,
) -> Result<Payload, Error> {
    // More of what runs already: its payload is known, wherever it lies.
    let running = version.and_then(|version| version.desired.as_ref()).filter(|desired| desired.count > 0);
    if let (Some(desired), None) = (running, &args.hdfs_model_path) {
        let asked = Asked { resources: desired.resources.clone(), says_memory: false };
        return Ok(Payload { path: desired.path.clone(), digest: desired.digest.clone(), resources: Some(asked) });
    }
    match known_store(cluster, args).await? {
        Some(url) => {
            let store = payload::open(&url)?;
            let base = base(args, &store.url());
            payload::find(store, &base, model).await
        }
        None => {
            let Some(path) = &args.hdfs_model_path else {
                return Err(Error::say(
                    ErrorCode::NoPayload,
                    "neither -lmp nor -hmp says where the model is, and no master has said where models are stored",
                ));
            };
            note(format!("no master has said where models are stored: {path} is asked for as it stands"));
            Ok(Payload { path: path.clone(), digest: None, resources: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_running_version_keeps_its_resources_unless_told_otherwise() {
        let version = testing::version("dga", "1.0", 2);
        assert!(check_resources(Some(&version), &Resources::default(), false).is_ok());
        let more = Resources { memory_mb: 1024, gpus: 1, ..Resources::default() };
        let failure = check_resources(Some(&version), &more, false).unwrap_err().into_failure();
        assert_eq!(failure.exit(), 8);
        assert_eq!(
            failure.message(),
            "dga 1.0 runs with 512 MB, 1 vcores, asked for are 1024 MB, 1 vcores, 1 GPUs; give the same, or --update to change them"
        );
        assert!(check_resources(Some(&version), &more, true).is_ok());
        assert!(check_resources(Some(&testing::version("dga", "1.0", 0)), &more, false).is_ok());
    }

    #[test]
    fn a_running_version_keeps_its_content() {
        let version = testing::version("dga", "1.0", 2);
        assert_eq!(running_elsewhere(Some(&version), "/other/dga/1.0", "sha256:11"), Some("/models/dga/1.0"));
        assert_eq!(running_elsewhere(Some(&version), "/models/dga/1.0", "sha256:11"), None);
        assert_eq!(running_elsewhere(Some(&version), "/other/dga/1.0", "sha256:00"), None);
        let failure = other_content(&version.model, "/models/dga/1.0", Some("run.sh has other bytes")).into_failure();
        assert_eq!((failure.code(), failure.exit()), (ErrorCode::ConflictContent, 8));
        assert!(failure.message().contains("run.sh has other bytes"));
    }
}
