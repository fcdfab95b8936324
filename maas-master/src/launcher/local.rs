//! Instances as processes of this machine: one runner each, which outlives the master.
//!
//! A runner is started in its own process group with its output in files, so that a master may end and another adopt it.
//! Its death is proved by its free lock, after every process that carries its instance's id is gone. What runs on other
//! hosts is not seen.

mod cgroup;
mod files;
mod process;
#[cfg(test)]
mod tests;
mod watch_over;

use super::{Ask, Launcher, LogFiles, Report};
use crate::clock::wall_time;
use crate::observed::{Instance, Node, Process};
use async_trait::async_trait;
use maas_client::api::Amounts;
use maas_client::config::Roots;
use maas_client::launch::{Exit, LaunchSpec};
use maas_client::reason::{InstanceState, Reason, ReasonCode};
use maas_client::state::{Ended, InstanceRecord, LocalHome};
use rustix::process::Rlimit;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Semaphore, watch};
use watch_over::Upkeep;

/// Runners started at once.
const STARTS_AT_ONCE: usize = 8;

/// What a local launcher needs to know. It holds secrets, so it can't be printed.
#[derive(Clone)]
pub struct Options {
    /// This machine's own name, by which its instances are known again.
    pub node: String,
    /// The state directory, held by this master.
    pub state_dir: PathBuf,
    /// The runner's program.
    pub runner: PathBuf,
    /// ZooKeeper's connect string, chroot included.
    pub zookeeper: String,
    /// Session time-out of runners.
    pub session_timeout: Duration,
    /// Where queue, registry and state live.
    pub roots: Roots,
    /// The service's `-e`.
    pub service_env: BTreeMap<String, String>,
    /// The host others reach this one by, published with every endpoint.
    pub advertise: String,
    /// The control group for leaves; `None`: one that is lent, if any.
    pub cgroup: Option<PathBuf>,
    /// What may be given out.
    pub capacity: Amounts,
    /// Whether the sum of virtual cores is limited too.
    pub limits_vcores: bool,
    /// This node's label, empty for none.
    pub label: String,
    /// The line that gives a runner its credential.
    pub credential_line: Option<String>,
}

/// Where one instance stands here.
#[derive(Debug, Clone)]
enum Slot {
    /// Taken, not started yet, or being looked at. Left by starting or by a failed start.
    Taken { gpus: Vec<u32> },
    /// Its runner lives. Left when that ends.
    Running { pid: Option<u32>, gpus: Vec<u32> },
    /// Its runner ended; what it left is being cleared. Left when nothing is left.
    Clearing { gpus: Vec<u32> },
    /// Death is proved. Left when its record is gone.
    Dead { exit: Option<Box<Exit>> },
}

impl Slot {
    fn gpus(&self) -> &[u32] {
        match self {
            Slot::Taken { gpus } | Slot::Running { gpus, .. } | Slot::Clearing { gpus } => gpus,
            Slot::Dead { .. } => &[],
        }
    }
    fn process(&self) -> Process {
        match self {
            Slot::Taken { .. } | Slot::Clearing { .. } => Process::Alive { pid: None },
            Slot::Running { pid, .. } => Process::Alive { pid: *pid },
            Slot::Dead { exit } => Process::Dead { exit: exit.as_deref().cloned() },
        }
    }
}

struct Inner {
    options: Options,
    slots: Mutex<BTreeMap<String, Slot>>,
    changed: watch::Sender<u64>,
    starts: Semaphore,
    upkeep: Mutex<Upkeep>,
    /// Instances of this machine could not be looked at: which GPUs are theirs is not known.
    unseen: AtomicBool,
    /// The limit on open files that this process was started with, for its children.
    file_limit: Rlimit,
}

/// The local launcher. Cheap to clone.
#[derive(Clone)]
pub struct Local {
    inner: Arc<Inner>,
}

impl Local {
    /// A launcher over a state directory that this master holds. Raises this process's limit on open files: every
    /// instance needs some.
    pub fn new(options: Options) -> Local {
        let cgroup = options.cgroup.clone().or_else(cgroup::delegated);
        match &cgroup {
            Some(group) => tracing::info!(group = %group.display(), "instances get control groups below"),
            None => tracing::info!("no control group is given or lent; the memory of instances is watched"),
        }
        let inner = Inner {
            options: Options { cgroup, ..options },
            slots: Mutex::default(),
            changed: watch::channel(0).0,
            starts: Semaphore::new(STARTS_AT_ONCE),
            upkeep: Mutex::default(),
            unseen: AtomicBool::new(false),
            file_limit: process::raise_file_limit(),
        };
        Local { inner: Arc::new(inner) }
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<String, Slot>> {
        self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, id: &str, slot: Slot) {
        self.slots().insert(id.to_string(), slot);
        self.inner.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Takes the ask and reserves its GPUs; `None` when it was taken before.
    fn take(&self, ask: &Ask) -> Option<Vec<u32>> {
        let mut slots = self.slots();
        if slots.contains_key(&ask.id) {
            return None;
        }
        if ask.resources.gpus > 0 && self.inner.unseen.load(Ordering::Relaxed) {
            // It is asked for again on the next pass.
            return None;
        }
        let held: BTreeSet<u32> = slots.values().flat_map(|slot| slot.gpus().iter().copied()).collect();
        let free = (0..self.inner.options.capacity.gpus).filter(|index| !held.contains(index));
        let gpus: Vec<u32> = free.take(ask.resources.gpus as usize).collect();
        slots.insert(ask.id.clone(), Slot::Taken { gpus: gpus.clone() });
        Some(gpus)
    }

    async fn start(self, ask: Ask, gpus: Vec<u32>) {
        // The semaphore is never closed.
        let _permit = self.inner.starts.acquire().await;
        match self.spawn(&ask, &gpus).await {
            Ok(child) => {
                process::restore_file_limit(child.id(), self.inner.file_limit);
                self.set(&ask.id, Slot::Running { pid: child.id(), gpus: gpus.clone() });
                let this = self.clone();
                tokio::spawn(this.wait_child(ask.id, child, gpus));
            }
            Err((what, error)) => {
                tracing::warn!(instance = ask.id, %error, what, "runner not started");
                let reason = Reason::new(ReasonCode::ScriptNotStarted, format!("{what}: {error}"));
                self.set(&ask.id, Slot::Dead { exit: Some(Box::new(self.not_started(&ask.id, reason))) });
            }
        }
    }

    async fn spawn(&self, ask: &Ask, gpus: &[u32]) -> Result<tokio::process::Child, (String, std::io::Error)> {
        let options = &self.inner.options;
        let refused = || std::io::Error::from(std::io::ErrorKind::InvalidInput);
        let directory = files::directory(&options.state_dir, &ask.id)
            .ok_or_else(|| (format!("instance id {:?} makes no directory", ask.id), refused()))?;
        if gpus.len() < ask.resources.gpus as usize {
            let what = format!("{} of {} GPUs are free here", gpus.len(), ask.resources.gpus);
            return Err((what, refused()));
        }
        let spec = self.spec(ask, gpus);
        let prepared = directory.clone();
        let log = run_blocking(move || {
            files::prepare(&prepared, &spec)?;
            files::runner_log(&prepared)
        })
        .await
        .map_err(|error| (format!("can't prepare {}", directory.display()), error))?;
        let copy = log.try_clone().map_err(|error| ("can't open the runner's log".to_string(), error))?;
        let mut command = tokio::process::Command::new(&options.runner);
        command
            .arg("run")
            .arg("--dir")
            .arg(&directory)
            .current_dir(&directory)
            .env(process::INSTANCE_VARIABLE, &ask.id)
            .env_remove("MAAS_CRASH_AT")
            .stdin(if options.credential_line.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(log)
            .stderr(copy)
            .process_group(0)
            .kill_on_drop(false);
        let failed = |error| (format!("can't start {}", options.runner.display()), error);
        let mut child = command.spawn().map_err(failed)?;
        if let (Some(line), Some(mut stdin)) = (&options.credential_line, child.stdin.take()) {
            // A runner that ended before it read its credential says why in its exit file.
            let _ = stdin.write_all(format!("{line}\n").as_bytes()).await;
        }
        Ok(child)
    }

    fn spec(&self, ask: &Ask, gpus: &[u32]) -> LaunchSpec {
        let options = &self.inner.options;
        LaunchSpec {
            id: ask.id.clone(),
            model: ask.model.clone(),
            zookeeper: options.zookeeper.clone(),
            session_timeout_ms: u64::try_from(options.session_timeout.as_millis()).unwrap_or(u64::MAX),
            roots: (&options.roots).into(),
            payload: ask.payload.clone(),
            digest: ask.digest.clone(),
            resources: ask.resources.clone(),
            service_env: options.service_env.clone(),
            env: ask.env.clone(),
            secrets: ask.secrets.clone(),
            advertise: options.advertise.clone(),
            cgroup: options.cgroup.clone(),
            gpu_indices: gpus.to_vec(),
            credential_on_stdin: options.credential_line.is_some(),
            log_bytes: 8 << 20,
        }
    }

    fn not_started(&self, id: &str, reason: Reason) -> Exit {
        Exit {
            id: id.to_string(),
            state: InstanceState::Failed,
            reason,
            exit_code: None,
            host: self.inner.options.advertise.clone(),
            started: None,
            ended: wall_time(),
            ran_ms: 0,
            was_ready: false,
            stderr_tail: Vec::new(),
        }
    }

    /// Where an instance lives, when it lives on this machine: below the state directory of the master that launched it.
    fn directory(&self, id: &str, record: &InstanceRecord) -> Option<PathBuf> {
        let home = record.local.as_ref().filter(|home| home.node == self.inner.options.node)?;
        if !home.state_dir.is_absolute() {
            return None;
        }
        files::directory(&home.state_dir, id)
    }
}

async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}

#[async_trait]
impl Launcher for Local {
    fn kind(&self) -> &'static str {
        "local"
    }

    fn home(&self) -> Option<LocalHome> {
        let options = &self.inner.options;
        Some(LocalHome { node: options.node.clone(), state_dir: options.state_dir.clone() })
    }

    async fn ensure(&self, asks: Vec<Ask>) {
        for ask in asks {
            if let Some(gpus) = self.take(&ask) {
                tokio::spawn(self.clone().start(ask, gpus));
            }
        }
    }

    async fn kill(&self, id: &str, record: &InstanceRecord) {
        if self.directory(id, record).is_none() {
            return;
        }
        let id = id.to_string();
        if let Err(error) = run_blocking(move || process::kill_all(&id)).await {
            tracing::warn!(%error, "can't kill");
        }
    }

    async fn observe(&self, known: &BTreeMap<String, Arc<Instance>>) -> Report {
        let options = &self.inner.options;
        let mut unknown = Vec::new();
        let mut processes = BTreeMap::new();
        {
            let slots = self.slots();
            for (id, instance) in known {
                if slots.contains_key(id) {
                    continue;
                }
                match self.directory(id, &instance.record) {
                    Some(directory) => unknown.push((id.clone(), directory)),
                    None => {
                        processes.insert(id.clone(), Process::Unknown);
                    }
                }
            }
        }
        if unknown.is_empty() {
            self.inner.unseen.store(false, Ordering::Relaxed);
        } else {
            processes.extend(self.adopt(unknown).await);
        }
        {
            let slots = self.slots();
            for id in known.keys() {
                if let Some(slot) = slots.get(id) {
                    processes.insert(id.clone(), slot.process());
                }
            }
        }
        self.sweep_directories(known);
        let node = Node {
            host: options.advertise.clone(),
            total: options.capacity,
            label: options.label.clone(),
            limits_vcores: options.limits_vcores,
        };
        Report { nodes: vec![node], finds_places: false, processes }
    }

    async fn forget(&self, id: &str, record: &InstanceRecord, ended: &Ended) {
        self.slots().remove(id);
        let Some(home) = record.local.clone().filter(|_| self.directory(id, record).is_some()) else { return };
        let (name, model, ended) = (id.to_string(), record.model.clone(), ended.clone());
        if let Err(error) = run_blocking(move || files::clean(&home.state_dir, &name, &model, &ended)).await {
            tracing::warn!(instance = id, %error, "can't clean an ended instance's directory");
        }
    }

    fn logs(&self, id: &str, record: Option<&InstanceRecord>) -> Option<LogFiles> {
        let directory = match record {
            Some(record) => self.directory(id, record),
            None => files::directory(&self.inner.options.state_dir, id),
        };
        let logs = directory?.join("logs");
        Some(LogFiles { stdout: logs.join("stdout"), stderr: logs.join("stderr") })
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }
}
