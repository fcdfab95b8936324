//! A small honest launcher without processes: runners as tasks that claim, register, drain and end as real ones do.
//!
//! For tests of the master and for measuring it with many instances. It lives outside the masters that use it, so that
//! one can crash and another adopt what runs. What it leaves out: payloads, memory, output.

use super::{Ask, Launcher, LogFiles, Report};
use crate::clock::wall_time;
use crate::observed::{Instance, Node, Process};
use async_trait::async_trait;
use maas_client::api::Amounts;
use maas_client::config::Roots;
use maas_client::launch::Exit;
use maas_client::reason::{InstanceState, Reason, ReasonCode};
use maas_client::registry::{Registration, default_functions};
use maas_client::state::{Claim, Ended, InstanceRecord, LocalHome, Wanted};
use maas_client::tree::{Access, Error, Op, SharedTree, TreeExt};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How the instances of a model behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Behaviour {
    /// Ready at once; stops when told.
    #[default]
    Serves,
    /// Ends by itself as soon as it has started.
    Crashes,
    /// Never claims its instance.
    NeverClaims,
    /// Goes on when told to stop.
    IgnoresStop,
}

/// Makes a session for a runner. Runners that share one can't be told apart by ZooKeeper, which saves memory.
pub type Sessions = Arc<dyn Fn() -> SharedTree + Send + Sync>;

struct Runner {
    process: Process,
    killed: CancellationToken,
    starts: u32,
}

struct World {
    roots: Roots,
    host: String,
    capacity: Amounts,
    sessions: Sessions,
    /// Whether ending a runner ends its session.
    own_sessions: bool,
    /// How long the server keeps the nodes of a runner that was killed.
    lingering: Duration,
    behaviours: Mutex<BTreeMap<String, Behaviour>>,
    runners: Mutex<BTreeMap<String, Runner>>,
    forgotten: Mutex<BTreeSet<String>>,
    changed: watch::Sender<u64>,
}

/// The fake launcher. Cheap to clone; clones share what runs.
#[derive(Clone)]
pub struct Fake {
    world: Arc<World>,
}

impl Fake {
    /// A launcher whose runners each have a session of their own.
    pub fn new(roots: Roots, capacity: Amounts, sessions: Sessions) -> Fake {
        Fake::with(roots, capacity, sessions, true)
    }

    /// A launcher whose runners share what `sessions` gives.
    pub fn sharing(roots: Roots, capacity: Amounts, session: SharedTree) -> Fake {
        Fake::with(roots, capacity, Arc::new(move || session.clone()), false)
    }

    fn with(roots: Roots, capacity: Amounts, sessions: Sessions, own_sessions: bool) -> Fake {
        let world = World {
            roots,
            host: "fake1".to_string(),
            capacity,
            sessions,
            own_sessions,
            lingering: Duration::from_secs(10),
            behaviours: Mutex::default(),
            runners: Mutex::default(),
            forgotten: Mutex::default(),
            changed: watch::channel(0).0,
        };
        Fake { world: Arc::new(world) }
    }

    /// How the instances of a model that start from now on behave.
    pub fn behave(&self, model: &str, behaviour: Behaviour) {
        lock(&self.world.behaviours).insert(model.to_string(), behaviour);
    }

    /// Ids of the runners that live.
    pub fn alive(&self) -> BTreeSet<String> {
        let runners = lock(&self.world.runners);
        let alive = runners.iter().filter(|(_, runner)| matches!(runner.process, Process::Alive { .. }));
        alive.map(|(id, _)| id.clone()).collect()
    }

    /// Kills a runner as the kernel would: its session's nodes stay until the server has missed it.
    pub fn crash(&self, id: &str) {
        if let Some(runner) = lock(&self.world.runners).get(id) {
            runner.killed.cancel();
        }
    }

    /// The most often any id was started; more than once is a defect of the master.
    pub fn most_starts(&self) -> u32 {
        lock(&self.world.runners).values().map(|runner| runner.starts).max().unwrap_or(0)
    }

    fn end(&self, id: &str, exit: Option<Exit>) {
        if let Some(runner) = lock(&self.world.runners).get_mut(id) {
            runner.process = Process::Dead { exit };
        }
        self.world.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    async fn run(self, ask: Ask, killed: CancellationToken) {
        let behaviour = lock(&self.world.behaviours).get(ask.model.name.as_str()).copied().unwrap_or_default();
        let session = (self.world.sessions)();
        let life = Life { fake: &self, ask: &ask, tree: session.clone(), behaviour };
        let ended = tokio::select! {
            exit = life.live() => Some(exit),
            () = killed.cancelled() => None,
        };
        match ended {
            Some(exit) => {
                if self.world.own_sessions {
                    session.close().await;
                }
                self.end(&ask.id, exit);
            }
            None => {
                self.end(&ask.id, None);
                if self.world.own_sessions {
                    tokio::time::sleep(self.world.lingering).await;
                    session.close().await;
                }
            }
        }
    }
}

/// One runner's life.
struct Life<'a> {
    fake: &'a Fake,
    ask: &'a Ask,
    tree: SharedTree,
    behaviour: Behaviour,
}

impl Life<'_> {
    async fn live(&self) -> Option<Exit> {
        if self.behaviour == Behaviour::NeverClaims {
            return std::future::pending().await;
        }
        let roots = &self.fake.world.roots;
        let record_path = roots.instance(&self.ask.id);
        // Like the real one it starts nothing without a record that says run, and that it could claim.
        let node = self.tree.get(&record_path).await.ok().flatten()?;
        let record: InstanceRecord = serde_json::from_slice(&node.data).ok()?;
        if record.wanted != Wanted::Run {
            return None;
        }
        let claim = Op::create_ephemeral(roots.claim(&self.ask.id), self.claim(InstanceState::Starting));
        self.tree.multi(vec![Op::check(&record_path, node.stat.version), claim]).await.ok()?;
        if self.behaviour == Behaviour::Crashes {
            return Some(self.exit(ReasonCode::ScriptExited, "script ended with exit code 3", Some(3)));
        }
        if self.register(&record_path, node.stat.version).await.is_none() {
            return Some(self.exit(ReasonCode::Removed, "not wanted any more", None));
        }
        self.serve_until_stopped(&record_path).await;
        let registration = roots.registration(self.ask.model.name.as_str(), &self.ask.id);
        for path in [registration, roots.claim(&self.ask.id)] {
            // What the master took away already is gone.
            let _ = self.tree.delete_if_exists(&path, None).await;
        }
        Some(self.exit(ReasonCode::Removed, "not wanted any more", Some(143)))
    }

    async fn register(&self, record: &str, version: i32) -> Option<()> {
        let roots = &self.fake.world.roots;
        let parent = roots.service(self.ask.model.name.as_str());
        self.tree.ensure_path(&parent, Access::RunnerCreates).await.ok()?;
        let registration = Registration {
            model: self.ask.model.clone(),
            id: self.ask.id.clone(),
            url: self.url(),
            functions: default_functions(),
            registered_ms: wall_time().as_millisecond(),
        };
        let path = roots.registration(self.ask.model.name.as_str(), &self.ask.id);
        let ops = vec![
            Op::check(record, version),
            Op::create_ephemeral(path, registration.encode()),
            Op::set(roots.claim(&self.ask.id), self.claim(InstanceState::Ready), None),
        ];
        self.tree.multi(ops).await.ok().map(|_| ())
    }

    async fn serve_until_stopped(&self, record: &str) {
        loop {
            match self.tree.get_and_watch(record).await {
                Ok((Some(node), changed)) => {
                    let wanted = serde_json::from_slice::<InstanceRecord>(&node.data).map(|record| record.wanted);
                    if matches!(wanted, Ok(Wanted::Stop)) && self.behaviour != Behaviour::IgnoresStop {
                        return;
                    }
                    changed.changed().await;
                }
                // A runner that finds no record after it was ready serves on.
                Ok((None, changed)) => changed.changed().await,
                Err(Error::Invalid { .. }) => return,
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", 1024 + self.ask.id.bytes().map(u32::from).sum::<u32>() % 60_000)
    }

    fn claim(&self, state: InstanceState) -> Vec<u8> {
        let claim = Claim {
            state,
            reason: None,
            pid: 1,
            host: self.fake.world.host.clone(),
            url: (state == InstanceState::Ready).then(|| self.url()),
            started: Some(wall_time()),
            memory_used_mb: None,
        };
        serde_json::to_vec(&claim).unwrap_or_default()
    }

    fn exit(&self, code: ReasonCode, text: &str, exit_code: Option<i32>) -> Exit {
        let failed = code == ReasonCode::ScriptExited;
        Exit {
            id: self.ask.id.clone(),
            state: if failed { InstanceState::Failed } else { InstanceState::Stopped },
            reason: Reason::new(code, text),
            exit_code,
            host: self.fake.world.host.clone(),
            started: Some(wall_time()),
            ended: wall_time(),
            ran_ms: 5,
            was_ready: !failed,
            stderr_tail: Vec::new(),
        }
    }
}

#[async_trait]
impl Launcher for Fake {
    fn kind(&self) -> &'static str {
        "local"
    }

    fn home(&self) -> Option<LocalHome> {
        None
    }

    async fn ensure(&self, asks: Vec<Ask>) {
        for ask in asks {
            let killed = CancellationToken::new();
            {
                let mut runners = lock(&self.world.runners);
                if let Some(runner) = runners.get_mut(&ask.id) {
                    if !matches!(runner.process, Process::Alive { .. }) {
                        runner.starts += 1;
                    }
                    continue;
                }
                let process = Process::Alive { pid: Some(1) };
                runners.insert(ask.id.clone(), Runner { process, killed: killed.clone(), starts: 1 });
            }
            tokio::spawn(self.clone().run(ask, killed));
        }
    }

    async fn kill(&self, id: &str, _record: &InstanceRecord) {
        self.crash(id);
    }

    async fn observe(&self, known: &BTreeMap<String, Arc<Instance>>) -> Report {
        let runners = lock(&self.world.runners);
        let process = |(id, instance): (&String, &Arc<Instance>)| match runners.get(id) {
            Some(runner) => (id.clone(), runner.process.clone()),
            None if instance.record.host != self.world.host => (id.clone(), Process::Unknown),
            None => (id.clone(), Process::Absent),
        };
        let processes = known.iter().map(process).collect();
        let node = Node {
            host: self.world.host.clone(),
            total: self.world.capacity,
            label: String::new(),
            limits_vcores: false,
        };
        Report { nodes: vec![node], finds_places: false, processes }
    }

    async fn forget(&self, id: &str, _record: &InstanceRecord, _ended: &Ended) {
        lock(&self.world.forgotten).insert(id.to_string());
    }

    fn logs(&self, _id: &str, _record: Option<&InstanceRecord>) -> Option<LogFiles> {
        None
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.world.changed.subscribe()
    }
}

/// Nothing is left half-done under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
