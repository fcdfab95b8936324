//! DOCTOR: looks for what nobody else clears up, says what to do, and mends the little that can be mended safely.
//!
//! It deletes only persistent registrations that are proved dead or that no client can read, after asking, after saving
//! them to a file, and only while each is still the node it looked at. What belongs to a live session it never touches.

use crate::context::{Cluster, Context, note};
use crate::doctor::facts::{Facts, Registered};
use crate::doctor::findings::{self, Finding, Paths, Repair};
use crate::doctor::ports::{self, Answer, Patience};
use crate::doctor::saved::{Saved, SavedNode};
use crate::error::Error;
use crate::http::{Api, Target};
use jiff::Timestamp;
use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure, exit};
use maas_client::api::{Reach, ReachView};
use maas_client::state::Leader;
use maas_client::tree::{self, Access, Mode, Op, TreeExt};
use serde::Serialize;
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Options of DOCTOR.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy doctor
  maas_deploy doctor --repair --save before.json
  maas_deploy doctor --restore before.json")]
pub(crate) struct Args {
    /// Mend what can be mended: lists it, asks, saves the nodes to a file, then does it
    #[arg(long, conflicts_with = "restore")]
    repair: bool,

    /// Put back the nodes of a file that --repair saved
    #[arg(long, value_name = "FILE")]
    restore: Option<PathBuf>,

    /// Where --repair saves the nodes [default: maas-doctor-TIME.json here]
    #[arg(long, value_name = "FILE", requires = "repair")]
    save: Option<PathBuf>,

    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,

    /// Ask the ports from this host, not from the master's
    #[arg(long)]
    from_here: bool,

    /// A port that refuses is asked three times over so many seconds
    #[arg(long, value_name = "S", default_value_t = 30, hide = true)]
    over: u64,
}

/// The document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    findings: &'a [Finding],
    repaired: &'a [String],
    saved: Option<&'a Path>,
}

/// Looks, and mends when asked to.
pub(crate) async fn run<W: Write>(context: &Context, args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let cluster = context.connect().await?;
    match &args.restore {
        Some(file) => restore(context, &cluster, file, out).await,
        None => examine(context, &cluster, &args, out).await,
    }
}

async fn examine<W: Write>(context: &Context, cluster: &Cluster, args: &Args, out: &mut Out<W>) -> Result<(), Error> {
    let facts = Facts::read(cluster).await?;
    let patience = Patience { over: Duration::from_secs(args.over), ..Patience::default() };
    let viewpoint = viewpoint(context, &facts, args.from_here).await;
    let answers = ask_ports(&facts, &viewpoint, &patience).await;
    let found = findings::find(&facts, &answers, &paths(cluster), Timestamp::now());

    let mut left: Vec<Finding> = found.clone();
    let mut repaired = Vec::new();
    let mut saved = None;
    if args.repair {
        let repairs: Vec<&Repair> = found.iter().filter_map(|finding| finding.repair.as_ref()).collect();
        if repairs.is_empty() {
            note("nothing that --repair could mend");
        } else {
            confirm(&repairs, args.yes)?;
            saved = save(cluster, &facts, &repairs, args.save.as_deref())?;
            repaired = repair(cluster, &repairs).await;
            left.retain(|finding| !repaired.contains(&finding.path) || !finding.repairable);
        }
    }
    if context.json() {
        out.json(&Document { findings: &left, repaired: &repaired, saved: saved.as_deref() })?;
    } else {
        print(&left, &repaired, saved.as_deref(), out)?;
    }
    if left.is_empty() { Ok(()) } else { Err(Error::Exit(exit::REFUSED)) }
}

/// From where ports are asked.
enum Viewpoint {
    /// From this process.
    Here,
    /// From the master.
    Master(Api),
    /// From nowhere, and why.
    Nowhere(String),
}

/// The master's own host sees what the master sees; another asks the master.
async fn viewpoint(context: &Context, facts: &Facts, from_here: bool) -> Viewpoint {
    if from_here || facts.leader.as_ref().is_some_and(is_on_this_host) {
        return Viewpoint::Here;
    }
    if facts.leader.is_none() {
        return Viewpoint::Nowhere("no master leads that could ask; give --from-here".to_string());
    }
    match context.master(None).await {
        Ok(api) => Viewpoint::Master(api),
        Err(error) => Viewpoint::Nowhere(format!("{}; or give --from-here", error.into_failure().message())),
    }
}

fn is_on_this_host(leader: &Leader) -> bool {
    let here = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host = leader.host.as_str();
    host == "localhost" || host.starts_with("127.") || host == "::1" || (!here.is_empty() && host == here)
}

async fn ask_ports(facts: &Facts, viewpoint: &Viewpoint, patience: &Patience) -> Vec<Answer> {
    if !facts.registered.is_empty() && !matches!(viewpoint, Viewpoint::Nowhere(_)) {
        note(format!("asking {} endpoints, up to {} s", facts.registered.len(), patience.over.as_secs()));
    }
    let look = async |registered: &Registered| match (&registered.endpoint, viewpoint) {
        (Err(_), _) => Answer::Unknown("it can't be read".to_string()),
        (Ok(endpoint), Viewpoint::Here) => ports::from_here(endpoint.url.to_string(), patience.timeout).await,
        (Ok(_), Viewpoint::Master(api)) => from_master(api, registered).await,
        (Ok(_), Viewpoint::Nowhere(why)) => Answer::Unknown(why.clone()),
    };
    ports::ask(&facts.registered, patience, look).await
}

async fn from_master(api: &Api, registered: &Registered) -> Answer {
    let target = Target::api(&["reach"]).with("name", &registered.name).with("id", &registered.id);
    match api.get::<ReachView>(target).await {
        Ok(view) => match view.answer {
            Reach::Answers => Answer::Answers,
            Reach::Refused => Answer::Refused,
            Reach::Unknown => Answer::Unknown(view.detail.unwrap_or_else(|| "the master can't tell".to_string())),
        },
        Err(error) => Answer::Unknown(error.into_failure().message().to_string()),
    }
}

fn paths(cluster: &Cluster) -> Paths {
    let roots = &cluster.roots;
    Paths {
        queue: roots.queue.clone(),
        leader: roots.leader(),
        cluster: roots.cluster(),
        stop: roots.stop(),
        instances: roots.instances(),
        rejected: roots.rejected(),
        own_version: env!("CARGO_PKG_VERSION").to_string(),
    }
}

fn confirm(repairs: &[&Repair], yes: bool) -> Result<(), Error> {
    let mut list = String::from("this would\n");
    for repair in repairs {
        list.push_str(&format!("  {}\n", repair.line()));
    }
    note(list.trim_end());
    if yes {
        return Ok(());
    }
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        let message = format!("{} repairs, and there is no terminal to ask at; give --yes", repairs.len());
        return Err(Failure::new(ErrorCode::NeedsAnswer, message).into());
    }
    {
        let mut stderr = std::io::stderr().lock();
        write!(stderr, "Go on? [y/N] ")?;
        stderr.flush()?;
    }
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    match matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        true => Ok(()),
        false => Err(Failure::new(ErrorCode::Interrupted, "nothing was repaired").into()),
    }
}

/// Saves the nodes that would go; `None` when none would.
fn save(
    cluster: &Cluster,
    facts: &Facts,
    repairs: &[&Repair],
    file: Option<&Path>,
) -> Result<Option<PathBuf>, Error> {
    let going = |path: &str| repairs.iter().any(|r| matches!(r, Repair::Delete { path: gone, .. } if gone == path));
    let nodes: Vec<SavedNode> = facts
        .registered
        .iter()
        .filter(|registered| going(&registered.path))
        .map(|registered| SavedNode::new(&registered.path, &registered.node.data))
        .collect();
    if nodes.is_empty() {
        return Ok(None);
    }
    let now = Timestamp::now();
    let file = match file {
        Some(file) => file.to_path_buf(),
        None => PathBuf::from(format!("maas-doctor-{}.json", now.strftime("%Y%m%dT%H%M%SZ"))),
    };
    Saved::new(&cluster.zookeeper, now, nodes).write(&file)?;
    note(format!("saved to {0}; maas_deploy doctor --restore {0} puts them back", file.display()));
    Ok(Some(file))
}

/// Does what can be done and gives the paths; what fails is said and stays a finding.
async fn repair(cluster: &Cluster, repairs: &[&Repair]) -> Vec<String> {
    let mut done = Vec::new();
    for repair in repairs {
        match apply(cluster, repair).await {
            Ok(()) => done.push(repair.path().to_string()),
            Err(error) => note(format!("{}: {}", repair.path(), error.into_failure().message())),
        }
    }
    done
}

async fn apply(cluster: &Cluster, repair: &Repair) -> Result<(), Error> {
    let tree = &cluster.tree;
    match repair {
        Repair::Make { path } => {
            let access = if *path == cluster.roots.queue { Access::WorldCreates } else { Access::WorldReads };
            Ok(tree.ensure_path(path, access).await?)
        }
        Repair::Delete { path, czxid, version } => {
            // Someone may have registered anew under the same name, or with a session, since we looked.
            match tree.get(path).await? {
                None => return Ok(()),
                Some(node) if node.stat.czxid == *czxid && node.stat.ephemeral_owner == 0 => {}
                Some(_) => return Err(Error::say(ErrorCode::Conflict, "is another node by now; look again")),
            }
            tree.multi(vec![Op::delete(path.clone(), Some(*version))]).await.map_err(tree::Error::from)?;
            Ok(())
        }
    }
}

async fn restore<W: Write>(
    context: &Context,
    cluster: &Cluster,
    file: &Path,
    out: &mut Out<W>,
) -> Result<(), Error> {
    let saved = Saved::read(file, &[&cluster.roots.services])?;
    if saved.zookeeper != cluster.zookeeper {
        note(format!("these nodes were saved from {}, and go to {}", saved.zookeeper, cluster.zookeeper));
    }
    let mut restored = Vec::new();
    let mut others = Vec::new();
    for node in &saved.nodes {
        let bytes = node.bytes()?;
        match cluster.tree.get(&node.path).await? {
            Some(there) if there.data == bytes => continue,
            Some(_) => {
                others.push(node.path.clone());
                continue;
            }
            None => {}
        }
        if let Some((parent, _)) = node.path.rsplit_once('/') {
            cluster.tree.ensure_path(parent, Access::WorldReads).await?;
        }
        cluster.tree.create(&node.path, bytes, Mode::Persistent, Access::WorldReads).await?;
        restored.push(node.path.clone());
    }
    if context.json() {
        #[derive(Serialize)]
        struct Restored<'a> {
            restored: &'a [String],
            others: &'a [String],
        }
        out.json(&Restored { restored: &restored, others: &others })?;
    } else {
        for path in &restored {
            out.line(format!("restored {path}"))?;
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    note(format!("other nodes are there by now, and stay: {}", others.join(", ")));
    Err(Error::Exit(exit::CONFLICT))
}

fn print<W: Write>(
    left: &[Finding],
    repaired: &[String],
    saved: Option<&Path>,
    out: &mut Out<W>,
) -> Result<(), Error> {
    for path in repaired {
        out.line(format!("repaired {path}"))?;
    }
    for finding in left {
        out.line(format!("{}: {} {}", finding.code, finding.path, clean(&finding.message)))?;
        out.line(format!("  {}", clean(&finding.advice)))?;
    }
    if left.is_empty() {
        note("nothing found that needs attention");
    } else {
        let repairable = left.iter().filter(|finding| finding.repairable).count();
        let findings = if left.len() == 1 { "finding" } else { "findings" };
        let more = if repairable > 0 && saved.is_none() { "; --repair mends" } else { "; of these can be mended:" };
        note(format!("{} {findings}{more} {repairable}", left.len()));
    }
    Ok(())
}

/// What nodes say must not move the cursor.
fn clean(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}
