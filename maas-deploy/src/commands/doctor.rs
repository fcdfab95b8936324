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
use maas_cli::who;
use maas_cli::{ErrorCode, Failure, exit};
use maas_client::api::ReachView;
use maas_client::reach::reach;
use maas_client::reason::plural;
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
    /// Messages set aside in the past.
    rejected: usize,
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
        let rejected = facts.rejected.len();
        out.json(&Document { findings: &left, repaired: &repaired, saved: saved.as_deref(), rejected })?;
    } else {
        print(&left, &repaired, saved.as_deref(), out)?;
    }
    if !facts.rejected.is_empty() {
        let messages = plural(facts.rejected.len() as u64, "message");
        note(format!("set aside in the past: {messages}; maas_deploy requests --refused shows what and why"));
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
    who::is_this_host(&leader.host, &who::host_name())
}

async fn ask_ports(facts: &Facts, viewpoint: &Viewpoint, patience: &Patience) -> Vec<Answer> {
    if !facts.registered.is_empty() && !matches!(viewpoint, Viewpoint::Nowhere(_)) {
        note(format!("asking {} endpoints, up to {} s", facts.registered.len(), patience.over.as_secs()));
    }
    let look = async |registered: &Registered| match (&registered.endpoint, viewpoint) {
        (Err(_), _) => Answer::Unknown("it can't be read".to_string()),
        (Ok(endpoint), Viewpoint::Here) => {
            let (answer, detail) = reach(&endpoint.url, patience.timeout).await;
            Answer::of(answer, detail)
        }
        (Ok(_), Viewpoint::Master(api)) => from_master(api, registered).await,
        (Ok(_), Viewpoint::Nowhere(why)) => Answer::Unknown(why.clone()),
    };
    ports::ask(&facts.registered, patience, look).await
}

async fn from_master(api: &Api, registered: &Registered) -> Answer {
    let target = Target::api(&["reach"]).with("name", &registered.name).with("id", &registered.id);
    match api.get::<ReachView>(target).await {
        Ok(view) => Answer::of(view.answer, view.detail),
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
fn save(cluster: &Cluster, facts: &Facts, repairs: &[&Repair], file: Option<&Path>) -> Result<Option<PathBuf>, Error> {
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

async fn restore<W: Write>(context: &Context, cluster: &Cluster, file: &Path, out: &mut Out<W>) -> Result<(), Error> {
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
        cluster.tree.create(&node.path, bytes, Mode::Persistent, Access::Open).await?;
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

fn print<W: Write>(left: &[Finding], repaired: &[String], saved: Option<&Path>, out: &mut Out<W>) -> Result<(), Error> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Globals;
    use maas_client::config::Roots;
    use maas_client::state::Rejected;
    use maas_client::tree::SharedTree;
    use maas_client::tree::memory::MemoryServer;

    /// What Metron's runner leaves: a persistent registration.
    fn metron(name: &str, id: &str, port: u16) -> Vec<u8> {
        let payload = format!(
            r#"{{"@class":"org.apache.metron.maas.config.ModelEndpoint","endpoint":{{"url":"http://127.0.0.1:{port}","functions":{{"apply":"apply"}}}},"name":"{name}","version":"1.0","containerId":"{id}"}}"#
        );
        format!(
            r#"{{"name":"{name}","id":"{id}","address":"127.0.0.1","port":{port},"sslPort":null,"payload":{payload},"registrationTimeUTC":1,"serviceType":"STATIC","uriSpec":null}}"#
        )
        .into_bytes()
    }

    struct World {
        server: MemoryServer,
        cluster: Cluster,
        dir: tempfile::TempDir,
    }

    impl World {
        async fn new() -> World {
            let server = MemoryServer::new();
            let tree: SharedTree = server.session();
            let cluster = Cluster { tree, roots: Roots::default(), zookeeper: "memory".into() };
            for root in [&cluster.roots.queue, &cluster.roots.services] {
                cluster.tree.ensure_path(root, Access::Open).await.unwrap();
            }
            World { server, cluster, dir: tempfile::tempdir().unwrap() }
        }

        async fn register(&self, name: &str, id: &str, data: Vec<u8>, mode: Mode) -> String {
            self.cluster.tree.ensure_path(&self.cluster.roots.service(name), Access::Open).await.unwrap();
            let path = self.cluster.roots.registration(name, id);
            self.cluster.tree.create(&path, data, mode, Access::Open).await.unwrap();
            path
        }

        async fn examine(&self, args: Args) -> (Option<u8>, serde_json::Value) {
            let context = Context::new(Globals { json: true, ..Globals::default() });
            let mut bytes = Vec::new();
            let result = examine(&context, &self.cluster, &args, &mut Out::new(&mut bytes)).await;
            let code = match result {
                Ok(()) => None,
                Err(Error::Exit(code)) => Some(code),
                Err(error) => Some(error.into_failure().exit()),
            };
            (code, serde_json::from_slice(&bytes).unwrap_or_default())
        }

        fn file(&self) -> PathBuf {
            self.dir.path().join("saved.json")
        }

        async fn is_there(&self, path: &str) -> bool {
            self.cluster.tree.get(path).await.unwrap().is_some()
        }
    }

    fn look() -> Args {
        Args { repair: false, restore: None, save: None, yes: true, from_here: true, over: 0 }
    }

    fn codes(document: &serde_json::Value) -> Vec<(String, bool)> {
        let findings = document["findings"].as_array().cloned().unwrap_or_default();
        let one = |f: &serde_json::Value| (f["code"].as_str().unwrap().to_string(), f["repairable"] == true);
        findings.iter().map(one).collect()
    }

    /// A port that nobody listens on: it was free a moment ago.
    fn closed_port() -> u16 {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    #[tokio::test]
    async fn a_healthy_tree_has_no_findings() {
        let world = World::new().await;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        world.register("dga", "2", metron("dga", "2", port), Mode::Persistent).await;
        let nothing = serde_json::json!({"findings":[],"repaired":[],"saved":null,"rejected":0});
        assert_eq!(world.examine(look()).await, (None, nothing));
    }

    #[tokio::test]
    async fn a_message_that_was_set_aside_is_history_and_no_finding() {
        let world = World::new().await;
        let roots = &world.cluster.roots;
        let rejected = Rejected {
            id: "qn-0000000001-a".into(),
            message: "anVuaw==".into(),
            length: 4,
            sha256: "00".into(),
            reason: "no JSON".into(),
            time: Timestamp::now(),
        };
        world.cluster.tree.ensure_path(&roots.rejected(), Access::Open).await.unwrap();
        let data = serde_json::to_vec(&rejected).unwrap();
        let path = roots.rejection(&rejected.id);
        world.cluster.tree.create(&path, data, Mode::Persistent, Access::Open).await.unwrap();
        let (code, document) = world.examine(look()).await;
        assert_eq!((code, &document["findings"], &document["rejected"]), (None, &serde_json::json!([]), &1.into()));
    }

    #[tokio::test]
    async fn a_dead_persistent_registration_is_saved_deleted_and_put_back() {
        let world = World::new().await;
        let data = metron("dga", "2", closed_port());
        let dead = world.register("dga", "2", data.clone(), Mode::Persistent).await;
        let junk = world.register("dga", "3", b"null".to_vec(), Mode::Persistent).await;
        let (code, document) = world.examine(look()).await;
        assert_eq!(code, Some(exit::REFUSED));
        let expected = [("stale_registration".into(), true), ("unreadable_registration".into(), true)];
        assert_eq!(codes(&document), expected);
        assert!(world.is_there(&dead).await);

        let repair = Args { repair: true, save: Some(world.file()), ..look() };
        let (code, document) = world.examine(repair).await;
        assert_eq!((code, document["repaired"].as_array().unwrap().len()), (None, 2));
        assert!(!world.is_there(&dead).await && !world.is_there(&junk).await);

        let context = Context::new(Globals::default());
        restore(&context, &world.cluster, &world.file(), &mut Out::new(Vec::new())).await.unwrap();
        assert_eq!(world.cluster.tree.get(&dead).await.unwrap().unwrap().data, data);
        assert!(world.is_there(&junk).await);
        // Again changes nothing; another node in its place stays.
        restore(&context, &world.cluster, &world.file(), &mut Out::new(Vec::new())).await.unwrap();
        world.cluster.tree.multi(vec![Op::set(&dead, &b"other"[..], None)]).await.unwrap();
        let again = restore(&context, &world.cluster, &world.file(), &mut Out::new(Vec::new())).await;
        assert!(matches!(again, Err(Error::Exit(exit::CONFLICT))));
        assert_eq!(world.cluster.tree.get(&dead).await.unwrap().unwrap().data, b"other");
    }

    #[tokio::test]
    async fn what_a_live_session_owns_is_never_touched() {
        let world = World::new().await;
        let _session = world.server.session();
        let dead = world.register("dga", "1-2-ab12", metron("dga", "1-2-ab12", closed_port()), Mode::Ephemeral).await;
        let junk = world.register("dga", "junk", b"{".to_vec(), Mode::Ephemeral).await;
        let (code, document) = world.examine(Args { repair: true, save: Some(world.file()), ..look() }).await;
        assert_eq!(code, Some(exit::REFUSED));
        let found = codes(&document);
        assert!(found.contains(&("unowned_instance".into(), false)), "{found:?}");
        assert!(found.contains(&("refusing_endpoint".into(), false)), "{found:?}");
        assert!(found.iter().all(|(_, repairable)| !repairable));
        assert!(world.is_there(&dead).await && world.is_there(&junk).await);
    }

    #[tokio::test]
    async fn a_node_that_was_made_anew_since_the_look_is_not_deleted() {
        let world = World::new().await;
        let path = world.register("dga", "2", metron("dga", "2", closed_port()), Mode::Persistent).await;
        let stat = world.cluster.tree.get(&path).await.unwrap().unwrap().stat;
        world.cluster.tree.delete_if_exists(&path, None).await.unwrap();
        world.register("dga", "2", metron("dga", "2", 1), Mode::Persistent).await;
        let repair = Repair::Delete { path: path.clone(), czxid: stat.czxid, version: stat.version };
        assert!(apply(&world.cluster, &repair).await.is_err());
        assert!(world.is_there(&path).await);
    }

    #[tokio::test]
    async fn missing_roots_are_made_again_and_without_a_viewpoint_nothing_is_stale() {
        let world = World::new().await;
        let dead = world.register("dga", "2", metron("dga", "2", closed_port()), Mode::Persistent).await;
        world.cluster.tree.delete_if_exists(&world.cluster.roots.queue, None).await.unwrap();
        let args = Args { repair: true, from_here: false, save: Some(world.file()), ..look() };
        let (code, document) = world.examine(args).await;
        assert_eq!(code, Some(exit::REFUSED));
        assert_eq!(codes(&document), [("silent_endpoint".into(), false)]);
        assert!(world.is_there(&world.cluster.roots.queue).await && world.is_there(&dead).await);
        assert!(!world.file().exists());
    }
}
