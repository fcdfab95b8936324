//! `memory`: the master's resident size with no instance and with 1,000 registered ones, over a real ZooKeeper.
//!
//! The master is whole: reconciler, status writer, HTTP. Its instances are the fake launcher's, which live in this process
//! too, with a session of their own: what they take is counted against the master. Goals: 30 MB and 60 MB.

mod support;

use maas_client::api::Amounts;
use maas_client::config::Roots;
use maas_client::model::ModelId;
use maas_client::queue::Queue;
use maas_client::reason::{Reason, VersionState};
use maas_client::request::{Action, Extra, ModelRequest, Resources};
use maas_client::state::CallSettings;
use maas_client::tree::SharedTree;
use maas_client::zk::{ZkOptions, ZkTree};
use maas_master::events::EventLog;
use maas_master::failpoint::Failpoints;
use maas_master::http::{self, App, LogAccess};
use maas_master::launcher::fake::Fake;
use maas_master::payload::{Fetched, Key, Payloads, Source};
use maas_master::policy::Policy;
use maas_master::reconciler::{Identity, Master, Setup};
use maas_master::status_writer;
use maas_master::view::{Handle, View};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const MODELS: u32 = 20;
const INSTANCES: u32 = 1_000;
/// Passes after which whatever follows from the last change is done: statuses are written, buffers given back.
const PASSES: u64 = 5;
const PATIENCE: Duration = Duration::from_secs(120);

/// Every payload is there.
struct Anything;

impl Source for Anything {
    fn is_here(&self, _directory: &std::path::Path) -> bool {
        true
    }
    fn trim(&self, _used: &std::collections::BTreeSet<String>) {}
    fn fetch(&self, key: &Key) -> Result<Fetched, Reason> {
        Ok(Fetched {
            directory: PathBuf::from("/nowhere"),
            digest: key.digest.clone().unwrap_or_else(|| "sha256:imported".to_string()),
            call: CallSettings::default(),
            stop_bound_s: 8,
        })
    }
    fn purge(&self, _key: &Key) -> Result<Option<String>, Reason> {
        Ok(None)
    }
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let chroot = format!("/bench-memory-{}", std::process::id());
    let (tree, runners) = (session(&chroot).await, session(&chroot).await);
    let roots = Roots::default();
    let handle = start(&tree, runners, &roots, &chroot).await;
    rested(&handle, |view| view.leading().is_some()).await;
    report("memory_0", resident_kb(), 30);
    let queue = Queue::new(tree, &roots);
    for number in 0..MODELS {
        queue.enqueue(&request(number)).await.expect("a request in the queue");
    }
    rested(&handle, |view| {
        let versions = &view.plan.verdicts;
        let all_ready = versions.values().all(|verdict| verdict.state == VersionState::Ready);
        all_ready && versions.len() == MODELS as usize && view.observed.endpoints.len() == INSTANCES as usize
    })
    .await;
    report(&format!("memory_{INSTANCES}"), resident_kb(), 60);
}

async fn session(chroot: &str) -> SharedTree {
    let server = std::env::var("MAAS_TEST_ZK").unwrap_or_else(|_| {
        panic!("MAAS_TEST_ZK is not set: `scripts/services/zookeeper.sh start`, then export MAAS_TEST_ZK=HOST:PORT")
    });
    let connect_timeout = Some(Duration::from_secs(10));
    let options = ZkOptions { connect_timeout, ..ZkOptions::new(format!("{server}{chroot}")) };
    ZkTree::connect(options).await.expect("a connection to ZooKeeper")
}

/// All that `maas_service` runs, without signals and files. Nothing ends it but the end of the program.
async fn start(tree: &SharedTree, runners: SharedTree, roots: &Roots, chroot: &str) -> Handle {
    let capacity = Amounts { memory_mb: 1 << 30, vcores: 64, gpus: 0 };
    let (master, handle, outbox) = Master::new(Setup {
        tree: tree.clone(),
        roots: roots.clone(),
        launcher: Arc::new(Fake::sharing(roots.clone(), capacity, runners)),
        payloads: Payloads::new(Arc::new(Anything)),
        identity: Identity {
            host: "node1".into(),
            http: None,
            http_local: None,
            store: "file:///nowhere".into(),
            attempt: None,
        },
        world_registers: false,
        policy: Policy::default(),
        failpoints: Failpoints::default(),
    });
    let log = Arc::new(EventLog::default());
    let never = CancellationToken::new();
    tokio::spawn(status_writer::run(tree.clone(), roots.clone(), handle.clone(), outbox, log.clone(), never.clone()));
    tokio::spawn(async move { master.run(never).await.map_err(|error| panic!("the master ended: {error}")) });
    let app = App::new(http::Setup {
        handle: handle.clone(),
        events: log,
        tree: tree.clone(),
        roots: roots.clone(),
        zookeeper: chroot.to_string(),
        logs: LogAccess::Open,
        names: Vec::new(),
        policy: Policy::default(),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let service = http::router(app).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    handle
}

fn request(number: u32) -> ModelRequest {
    ModelRequest {
        model: ModelId::new(&format!("model-{number}"), "1.0").expect("a good name"),
        action: Action::Add,
        num_instances: INSTANCES / MODELS,
        resources: Resources::default(),
        path: Some(format!("/models/model-{number}/1.0")),
        extra: Extra { digest: Some(format!("sha256:{}", "ab".repeat(32))), ..Extra::default() },
    }
}

/// Waits until this holds, and some passes more.
async fn rested(handle: &Handle, holds: impl Fn(&View) -> bool) {
    let mut views = handle.watch();
    let waiting = async {
        let since = views.wait_for(|view| holds(view)).await.expect("the master lives").passes;
        views.wait_for(|view| holds(view) && view.passes >= since + PASSES).await.expect("the master lives");
    };
    if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
        let view = handle.view();
        panic!("never: {} passes, {} registered", view.passes, view.observed.endpoints.len());
    }
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn report(name: &str, resident_kb: u64, goal_mb: u64) {
    let megabytes = resident_kb as f64 / 1024.0;
    support::line(name, &format!("{megabytes:.1}MB"), "-", "-", &format!("<={goal_mb}MB"), megabytes <= goal_mb as f64);
}
