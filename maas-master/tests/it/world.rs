//! A whole site in memory: one ZooKeeper, one launcher, any number of masters that come and go.

use maas_client::api::Amounts;
use maas_client::config::Roots;
use maas_client::model::ModelId;
use maas_client::queue::Queue;
use maas_client::reason::{Reason, ReasonCode};
use maas_client::registry::Registry;
use maas_client::request::{Action, Extra, ModelRequest, Resources};
use maas_client::state::{CallSettings, Desired, RequestRecord};
use maas_client::tree::memory::{MemoryServer, MemoryTree};
use maas_client::tree::{SharedTree, Tree};
use maas_master::failpoint::Failpoints;
use maas_master::launcher::fake::Fake;
use maas_master::payload::{Fetched, Key, Payloads, Source};
use maas_master::policy::Policy;
use maas_master::reconciler::{End, Error, Identity, Master, Outbox, Setup};
use maas_master::view::Handle;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Payloads that are always there, unless their path says otherwise.
struct Paths;

impl Source for Paths {
    fn is_here(&self, _directory: &std::path::Path) -> bool {
        true
    }
    fn trim(&self, _used: &std::collections::BTreeSet<String>) {}
    fn fetch(&self, key: &Key) -> Result<Fetched, Reason> {
        if key.path.contains("missing") {
            return Err(Reason::new(ReasonCode::PayloadUnreadable, format!("no payload under {}", key.path)));
        }
        Ok(Fetched {
            directory: PathBuf::from("/nowhere"),
            digest: key.digest.clone().unwrap_or_else(|| "sha256:imported".to_string()),
            call: CallSettings::default(),
            stop_bound_s: 8,
        })
    }
    fn purge(&self, key: &Key) -> Result<Option<String>, Reason> {
        Ok(key.path.contains("shared").then(|| "other content is there now".to_string()))
    }
}

pub(crate) struct World {
    pub(crate) server: MemoryServer,
    pub(crate) roots: Roots,
    pub(crate) fake: Fake,
    /// A session for looking and asking, which no fault touches.
    pub(crate) tree: SharedTree,
    pub(crate) queue: Queue,
}

/// A master that runs.
pub(crate) struct Running {
    pub(crate) tree: Arc<MemoryTree>,
    pub(crate) handle: Handle,
    pub(crate) outbox: Outbox,
    pub(crate) shutdown: CancellationToken,
    pub(crate) failpoints: Failpoints,
    pub(crate) task: JoinHandle<Result<End, Error>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    /// Waits until it ends by itself.
    pub(crate) async fn ended(&mut self) -> Result<End, Error> {
        tokio::time::timeout(Duration::from_secs(300), &mut self.task).await.expect("it goes on").unwrap()
    }

    /// As kill -9 does: nothing more is done, and the server misses the session only later.
    pub(crate) async fn kill(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        self.tree.close().await;
    }
}

impl World {
    pub(crate) fn new() -> World {
        World::with_memory(1 << 30)
    }

    pub(crate) fn with_memory(memory_mb: u64) -> World {
        let server = MemoryServer::new();
        let roots = Roots::default();
        let sessions = server.clone();
        let capacity = Amounts { memory_mb, vcores: 8, gpus: 0 };
        let fake = Fake::new(roots.clone(), capacity, Arc::new(move || sessions.session() as SharedTree));
        let tree: SharedTree = server.session();
        let queue = Queue::new(tree.clone(), &roots);
        World { server, roots, fake, tree, queue }
    }

    pub(crate) fn start(&self) -> Running {
        self.start_armed(None)
    }

    pub(crate) fn start_armed(&self, failpoint: Option<&str>) -> Running {
        self.start_with(failpoint, Policy::default())
    }

    pub(crate) fn start_with(&self, failpoint: Option<&str>, policy: Policy) -> Running {
        let tree = self.server.session();
        let failpoints = Failpoints::default();
        if let Some(name) = failpoint {
            failpoints.arm(name);
        }
        let (master, handle, outbox) = Master::new(Setup {
            tree: tree.clone(),
            roots: self.roots.clone(),
            launcher: Arc::new(self.fake.clone()),
            payloads: Payloads::new(Arc::new(Paths)),
            identity: Identity {
                host: "node1".into(),
                http: None,
                http_local: None,
                store: "file:///nowhere".into(),
                attempt: None,
            },
            world_registers: false,
            policy,
            failpoints: failpoints.clone(),
        });
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(master.run(shutdown.clone()));
        Running { tree, handle, outbox, shutdown, failpoints, task }
    }

    pub(crate) async fn ask(&self, request: &ModelRequest) -> String {
        self.queue.enqueue(request).await.unwrap().request_id()
    }

    /// Asks for more of a model once there is a queue.
    pub(crate) async fn ask_when_led(&self, model: &ModelId, count: u32) {
        until("a leader", || async { self.tree.get(&self.roots.leader()).await.unwrap().is_some() }).await;
        self.ask(&request(Action::Add, model, count)).await;
    }

    pub(crate) async fn desired(&self, model: &ModelId) -> Option<Desired> {
        let node = self.tree.get(&self.roots.desired(model)).await.unwrap()?;
        Some(serde_json::from_slice(&node.data).unwrap())
    }

    pub(crate) async fn request(&self, id: &str) -> Option<RequestRecord> {
        let node = self.tree.get(&self.roots.request(id)).await.unwrap()?;
        Some(serde_json::from_slice(&node.data).unwrap())
    }

    pub(crate) async fn registered(&self) -> BTreeMap<ModelId, u32> {
        let listing = Registry::new(self.tree.clone(), &self.roots).list_all().await.unwrap();
        let mut counts = BTreeMap::new();
        for endpoint in listing.endpoints {
            *counts.entry(endpoint.model()).or_default() += 1;
        }
        counts
    }

    pub(crate) async fn children(&self, path: &str) -> Vec<String> {
        self.tree.children(path).await.unwrap().unwrap_or_default()
    }

    /// What is wrong with the site, compared with what was asked; `None` when it is exactly as asked.
    async fn difference(&self, expected: &BTreeMap<ModelId, u32>) -> Option<String> {
        let waiting = self.children(&self.roots.queue).await;
        if !waiting.is_empty() {
            return Some(format!("{} wait in the queue", waiting.len()));
        }
        for (model, count) in expected {
            let desired = self.desired(model).await.map_or(0, |desired| desired.count);
            if desired != *count {
                return Some(format!("{model}: {desired} wanted, {count} asked"));
            }
        }
        let mut live = expected.clone();
        live.retain(|_, count| *count > 0);
        let registered = self.registered().await;
        if registered != live {
            return Some(format!("registered {registered:?}, asked {live:?}"));
        }
        let total: u32 = live.values().sum();
        let (records, alive) = (self.children(&self.roots.instances()).await, self.fake.alive());
        if records.len() != total as usize || alive.len() != total as usize {
            return Some(format!("{} records, {} alive, {total} asked", records.len(), alive.len()));
        }
        None
    }

    /// Waits until the site is exactly as asked.
    pub(crate) async fn settle(&self, expected: &[(&ModelId, u32)]) {
        let expected = expected.iter().map(|(model, count)| ((*model).clone(), *count)).collect();
        self.settle_map(&expected).await;
    }

    pub(crate) async fn settle_map(&self, expected: &BTreeMap<ModelId, u32>) {
        let mut last = None;
        for _ in 0..20_000 {
            last = self.difference(expected).await;
            if last.is_none() {
                assert!(self.fake.most_starts() <= 1, "an instance was started twice");
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never as asked: {last:?}");
    }
}

/// Waits until something holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..20_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

pub(crate) fn model(name: &str, version: &str) -> ModelId {
    ModelId::new(name, version).unwrap()
}

pub(crate) fn request(action: Action, model: &ModelId, count: u32) -> ModelRequest {
    let add = action == Action::Add;
    ModelRequest {
        model: model.clone(),
        action,
        num_instances: count,
        resources: Resources { memory_mb: if add { 256 } else { 0 }, ..Resources::default() },
        path: add.then(|| format!("/models/{}/{}", model.name, model.version)),
        extra: Extra::default(),
    }
}

/// As our own client asks.
pub(crate) fn ours(action: Action, model: &ModelId, count: u32, id: &str) -> ModelRequest {
    let mut request = request(action, model, count);
    request.extra.id = Some(id.to_string());
    request.extra.digest = (action == Action::Add).then(|| format!("sha256:{}", "ab".repeat(32)));
    request
}
