//! LOGS: what instances wrote. Through the HTTP of the master that leads: all live instances and the newest failed one, or the one named. Where none leads,
//! or for an application that is named: what its YARN cluster has collected ([`ended`]).

#[cfg(feature = "yarn")]
mod ended;
mod lines;
#[cfg(not(feature = "yarn"))]
mod without_yarn;

use crate::check;
use crate::context::{Cluster, Context, note};
use crate::error::{Error, require, require_among};
use crate::http::{Api, Target, TextStream};
use crate::report::newest_failed;
use lines::{Lines, shape};
use maas_cli::ErrorCode;
use maas_cli::output::Out;
use maas_client::api::{InstanceView, ModelView};
use maas_client::model::{ModelName, ModelVersion};
use maas_client::picture::Picture;
use maas_client::place;
use maas_client::reason::InstanceState;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use tokio::sync::mpsc;
#[cfg(not(feature = "yarn"))]
use without_yarn as ended;

/// Options of LOGS.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy logs -n dga -v 1.0 --tail 50
  maas_deploy logs -n dga --stream stderr --follow
  maas_deploy logs -n dga --instance 1-3-7f3a
  maas_deploy logs -n dga --application application_1795236020553_0004

Where no master leads, and the last one was an application of YARN, the logs are those that its cluster collected \
of the application that ended last at this place in ZooKeeper (-zq, -zr) with this model, this user's before others'.")]
pub(crate) struct Args {
    /// The model
    #[arg(short = 'n', long)]
    name: String,

    /// Its version; without it all versions
    #[arg(long, value_name = "VERSION")]
    model_version: Option<String>,

    /// Only this instance, its whole id or its end; it may have ended. Without it the live ones and the newest failed
    /// one of each version; of an ended application all, in the order they were started
    #[arg(long, value_name = "ID")]
    instance: Option<String>,

    /// Which stream
    #[arg(long, value_enum, default_value_t = Stream::Both)]
    stream: Stream,

    /// Only the last N lines of each stream
    #[arg(long, value_name = "N")]
    tail: Option<u64>,

    /// Go on as more is written
    #[arg(long)]
    follow: bool,

    /// An application of YARN that has ended: the logs that its cluster collected
    #[arg(long, value_name = "ID", conflicts_with = "follow")]
    application: Option<String>,
}

/// What of an ended application is wanted.
#[cfg_attr(not(feature = "yarn"), expect(dead_code, reason = "this build reads no such logs"))]
struct Wanted {
    name: ModelName,
    version: Option<ModelVersion>,
    instance: Option<String>,
    streams: &'static [&'static str],
    tail: Option<u64>,
    follow: bool,
    /// Whether lines are documents.
    json: bool,
    which: Which,
}

/// Which ended application.
enum Which {
    /// The one with this id.
    Named(String),
    /// The one with this id, because its master, which leads, can't be reached.
    Left(String),
    /// The newest that has logs of the model, because no master leads there.
    Newest {
        zookeeper: String,
        /// The tag of that place in ZooKeeper, which its applications carry.
        #[cfg_attr(not(feature = "yarn"), expect(dead_code, reason = "this build reads no such logs"))]
        place: String,
    },
}

/// Which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Stream {
    Stdout,
    Stderr,
    Both,
}

impl Stream {
    fn names(self) -> &'static [&'static str] {
        match self {
            Stream::Stdout => &["stdout"],
            Stream::Stderr => &["stderr"],
            Stream::Both => &["stdout", "stderr"],
        }
    }
}

/// Prints the logs.
pub(crate) async fn run<W: Write>(context: &Context, args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let name = check::name(&args.name)?;
    let version = args.model_version.as_deref().map(check::version).transpose()?;
    if let Some(id) = &args.application {
        let which = Which::Named(id.clone());
        return ended::print(args.of_ended(name, version, context.json(), which), out).await;
    }
    let (api, known, application) = match context.named_master()? {
        Some(api) => {
            let known = ids_from_master(&api, &name, version.as_ref()).await?;
            (api, known, None)
        }
        None => {
            let cluster = context.connect().await?;
            let leader = cluster.leader().await?;
            if leader.is_none() && may_have_ended_on_yarn(&cluster).await? {
                let place = place::tag(&cluster.zookeeper, &context.globals.zookeeper.root()?);
                let which = Which::Newest { zookeeper: cluster.zookeeper, place };
                return ended::print(args.of_ended(name, version, context.json(), which), out).await;
            }
            let picture = Picture::read(&cluster.tree, &cluster.roots, None).await?;
            require(&picture, &name, version.as_ref())?;
            let known = ids_from_picture(&picture, &name, version.as_ref());
            (context.master(Some(&cluster)).await?, known, leader.and_then(|leader| leader.application))
        }
    };
    let ids = match &args.instance {
        Some(id) => vec![known.named(id)?],
        None => known.usual,
    };
    if ids.is_empty() {
        note(format!("no instance of {name} has logs"));
        return Ok(());
    }
    let mut open = Vec::new();
    for id in &ids {
        for stream in args.stream.names() {
            let mut target = Target::api(&["instances", id, "logs"]).with("stream", stream);
            if let Some(tail) = args.tail {
                target = target.with("tail", tail.to_string());
            }
            if args.follow {
                target = target.with("follow", "true");
            }
            match api.stream(target).await {
                Ok(text) => open.push((Lines::new(shape(context.json(), &ids, id, stream)), text)),
                Err(error) => {
                    let failure = error.into_failure();
                    match (failure.code() == ErrorCode::MasterUnreachable && open.is_empty(), &application) {
                        // One that was killed is the leader until its session ends.
                        (true, Some(application)) if cfg!(feature = "yarn") => {
                            let wanted = args.of_ended(name, version, context.json(), Which::Left(application.clone()));
                            return ended::print(wanted, out).await;
                        }
                        (false, _) if ids.len() > 1 => {}
                        _ => return Err(failure.into()),
                    }
                    // One of several whose logs are gone does not keep the others.
                    note(format!("{id} {stream}: {failure}"));
                }
            }
        }
    }
    if args.follow { interleaved(open, out).await } else { one_after_another(open, out).await }
}

impl Args {
    fn of_ended(&self, name: ModelName, version: Option<ModelVersion>, json: bool, which: Which) -> Wanted {
        let (instance, streams) = (self.instance.clone(), self.stream.names());
        Wanted { name, version, instance, streams, tail: self.tail, follow: self.follow, json, which }
    }
}

/// Whether the last master may have been an application that has ended.
async fn may_have_ended_on_yarn(cluster: &Cluster) -> Result<bool, Error> {
    let was_on_yarn = cluster.said().await?.is_some_and(|said| said.launcher == "yarn");
    Ok(was_on_yarn && ended::is_configured())
}

/// Instances of a model that may have logs.
struct Known {
    /// Live ones and the newest failed one.
    usual: Vec<String>,
    /// All that are remembered.
    all: BTreeSet<String>,
}

impl Known {
    /// The one a person means by an id or its end. One that is not remembered may still have logs.
    fn named(&self, id: &str) -> Result<String, Error> {
        if self.all.contains(id) {
            return Ok(id.to_string());
        }
        let matching: Vec<&String> = self.all.iter().filter(|known| known.ends_with(&format!("-{id}"))).collect();
        match matching.as_slice() {
            [one] => Ok(one.to_string()),
            [] if self.all.is_empty() => Ok(id.to_string()),
            [] => {
                let all: Vec<&str> = self.all.iter().map(String::as_str).collect();
                let message = format!("no instance {id}; there are {}", all.join(", "));
                Err(Error::say(ErrorCode::NoInstance, message))
            }
            several => {
                let several: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
                Err(Error::say(ErrorCode::Usage, format!("{id} may be {}; give the whole id", several.join(" or "))))
            }
        }
    }
}

fn ids_from_picture(picture: &Picture, name: &ModelName, version: Option<&ModelVersion>) -> Known {
    let mut known = Known { usual: Vec::new(), all: BTreeSet::new() };
    for of in picture.of(name).filter(|of| version.is_none_or(|version| *version == of.model.version)) {
        let live = of.instances.iter().filter(|instance| instance.claim.is_some());
        known.usual.extend(live.map(|instance| instance.id.clone()));
        known.usual.extend(newest_failed(of).map(|ended| ended.id.clone()));
        known.all.extend(of.instances.iter().map(|instance| instance.id.clone()));
        known.all.extend(of.status.iter().flat_map(|status| status.ended.iter().map(|ended| ended.id.clone())));
    }
    known
}

async fn ids_from_master(api: &Api, name: &ModelName, version: Option<&ModelVersion>) -> Result<Known, Error> {
    let models: Vec<ModelView> = api.get(Target::api(&["models"])).await?;
    require_among(models.iter().map(|model| (&model.name, &model.version)), name, version)?;
    let asked = |model: &ModelView| model.name == *name && version.is_none_or(|version| model.version == *version);
    let instances: Vec<InstanceView> = models.into_iter().filter(asked).flat_map(|model| model.instances).collect();
    Ok(ids_from_views(&instances))
}

/// As a master lists them: what has ended of a version comes oldest first.
fn ids_from_views(instances: &[InstanceView]) -> Known {
    // What others registered has no runner of ours, and no logs.
    let runs = |of: &&InstanceView| !of.state.is_ended() && (of.pid.is_some() || of.container.is_some());
    let mut usual: Vec<String> = instances.iter().filter(runs).map(|instance| instance.id.clone()).collect();
    let failed = instances.iter().filter(|instance| instance.state == InstanceState::Failed);
    let newest: BTreeMap<&ModelVersion, &str> = failed.map(|failed| (&failed.version, failed.id.as_str())).collect();
    usual.extend(newest.into_values().map(str::to_string));
    Known { usual, all: instances.iter().map(|instance| instance.id.clone()).collect() }
}

async fn one_after_another<W: Write>(open: Vec<(Lines, TextStream)>, out: &mut Out<W>) -> Result<(), Error> {
    for (mut lines, mut stream) in open {
        while let Some(piece) = stream.next().await? {
            out.bytes(&lines.take(&piece))?;
            if out.is_closed() {
                return Ok(());
            }
        }
        out.bytes(&lines.rest())?;
    }
    Ok(())
}

async fn interleaved<W: Write>(open: Vec<(Lines, TextStream)>, out: &mut Out<W>) -> Result<(), Error> {
    let (send, mut receive) = mpsc::channel::<Result<Vec<u8>, Error>>(64);
    for (mut lines, mut stream) in open {
        let send = send.clone();
        tokio::spawn(async move {
            loop {
                let (piece, is_last) = match stream.next().await {
                    Ok(Some(piece)) => (Ok(lines.take(&piece)), false),
                    Ok(None) => (Ok(lines.rest()), true),
                    Err(error) => (Err(error), true),
                };
                // A receiver that is gone wants nothing more.
                if send.send(piece).await.is_err() || is_last {
                    return;
                }
            }
        });
    }
    drop(send);
    while let Some(piece) = receive.recv().await {
        match piece {
            Ok(bytes) => out.bytes(&bytes)?,
            Err(error) => note(error.into_failure().to_string()),
        }
        if out.is_closed() {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use maas_client::picture::Parts;

    #[test]
    fn a_master_is_asked_for_what_runs_and_for_the_newest_failed_of_each_version() {
        let view = |id: &str, version: &str, state: InstanceState, pid: Option<u32>| {
            let mut view =
                Picture::assemble(Parts { endpoints: vec![testing::endpoint("dga", version, id)], ..Parts::default() });
            let (_, of) = view.versions.pop_first().unwrap();
            InstanceView { state, pid, ..of.to_view(false).instances.remove(0) }
        };
        let known = ids_from_views(&[
            view("1-4-dddd", "1.0", InstanceState::Ready, Some(7)),
            view("stranger", "1.0", InstanceState::Ready, None),
            view("1-1-aaaa", "1.0", InstanceState::Failed, None),
            view("1-2-bbbb", "1.0", InstanceState::Failed, None),
            view("1-3-cccc", "1.0", InstanceState::Stopped, None),
            view("1-5-eeee", "2.0", InstanceState::Failed, None),
            view("1-6-ffff", "2.0", InstanceState::Stopped, None),
        ]);
        assert_eq!(known.usual, ["1-4-dddd", "1-2-bbbb", "1-5-eeee"]);
        assert_eq!(known.all.len(), 7);
    }

    #[test]
    fn an_instance_is_named_by_its_id_or_its_end() {
        let all: BTreeSet<String> = ["1-1-aaaa", "1-2-bbbb", "2-7-bbbb"].map(String::from).into();
        let known = Known { usual: Vec::new(), all };
        assert_eq!(known.named("aaaa").unwrap(), "1-1-aaaa");
        assert_eq!(known.named("1-2-bbbb").unwrap(), "1-2-bbbb");
        assert_eq!(known.named("bbbb").unwrap_err().into_failure().exit(), 2);
        assert_eq!(known.named("cccc").unwrap_err().into_failure().exit(), 4);
    }
}
