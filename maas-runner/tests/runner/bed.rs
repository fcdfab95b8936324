//! A bed for one instance: a chroot of its own, an instance directory, the master's record, and the runner's process.

use crate::model::Model;
use maas_client::config::Roots;
use maas_client::launch::{Exit, LaunchSpec, RootPaths};
use maas_client::model::ModelId;
use maas_client::reason::{Reason, ReasonCode};
use maas_client::request::Resources;
use maas_client::state::{Claim, InstanceRecord, Wanted};
use maas_client::state_store::ensure_roots;
use maas_client::tree::{Access, Mode, Op, SharedTree, TreeExt};
use maas_client::zk::{Credential, ZkOptions, ZkTree};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `look` finds something.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited {} s for {what}", PATIENCE.as_secs());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn servers() -> String {
    std::env::var("MAAS_TEST_ZK").expect(
        "this test needs a ZooKeeper: run scripts/services/zookeeper.sh start, then export MAAS_TEST_ZK=HOST:PORT",
    )
}

/// One instance's world.
pub(crate) struct Bed {
    pub(crate) tree: SharedTree,
    pub(crate) roots: Roots,
    pub(crate) spec: LaunchSpec,
    pub(crate) directory: PathBuf,
    pub(crate) runner: Option<Child>,
    /// The line that gives the runner its credential.
    pub(crate) credential: Option<String>,
    mounted: bool,
    record_version: i32,
    _temporary: tempfile::TempDir,
}

impl Bed {
    /// A bed for this model: payload, launch order and record are there, the runner is not started.
    pub(crate) async fn make(model: &Model) -> Bed {
        Bed::make_as(model, None).await
    }

    /// As [`Bed::make`], with a master that has a credential and gives its runner another.
    pub(crate) async fn make_as(model: &Model, credential: Option<Credential>) -> Bed {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let unique = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut options = ZkOptions::new(format!("{}/test-runner-{unique}", servers()));
        options.credential = credential.clone();
        let connect = options.connect.clone();
        let tree: SharedTree = ZkTree::connect(options).await.unwrap();
        let roots = Roots::default();
        let temporary = tempfile::tempdir().unwrap();
        let id = format!("1-{unique}-beef");
        let directory = temporary.path().join(&id);
        fs::create_dir(&directory).unwrap();
        let payload = temporary.path().join("payload");
        let manifest = model.localize(&payload);
        let spec = LaunchSpec {
            id: id.clone(),
            model: ModelId::new("dga", "1.0").unwrap(),
            zookeeper: connect,
            session_timeout_ms: 6000,
            roots: RootPaths::from(&roots),
            payload,
            digest: manifest.digest().to_string(),
            resources: Resources::default(),
            service_env: BTreeMap::new(),
            env: BTreeMap::new(),
            secrets: BTreeMap::new(),
            advertise: "127.0.0.1".to_string(),
            cgroup: None,
            gpu_indices: Vec::new(),
            credential_on_stdin: credential.is_some(),
            log_bytes: 8 << 20,
        };
        let mut bed = Bed {
            tree,
            roots,
            spec,
            directory,
            runner: None,
            credential: credential.map(|credential| credential.for_runner().to_line()),
            mounted: false,
            record_version: 0,
            _temporary: temporary,
        };
        ensure_roots(&bed.tree, &bed.roots, false).await.unwrap();
        let service = bed.roots.service(bed.spec.model.name.as_str());
        bed.tree.create(&service, Vec::new(), Mode::Persistent, Access::RunnerCreates).await.unwrap();
        bed.put_record().await;
        bed
    }

    fn record(&self, wanted: Wanted, reason: Option<Reason>) -> Vec<u8> {
        let record = InstanceRecord {
            model: self.spec.model.clone(),
            wanted,
            reason,
            epoch: 1,
            resources: self.spec.resources.clone(),
            digest: self.spec.digest.clone(),
            host: "here".to_string(),
            container: None,
            local: None,
            created: jiff::Timestamp::now(),
            stop_bound_s: 20,
        };
        serde_json::to_vec(&record).unwrap()
    }

    /// The master's record: wanted run.
    pub(crate) async fn put_record(&mut self) {
        let bytes = self.record(Wanted::Run, None);
        self.tree
            .create(&self.roots.instance(&self.spec.id), bytes, Mode::Persistent, Access::RunnerCreates)
            .await
            .unwrap();
        self.record_version = 0;
    }

    /// The master does not want it any more.
    pub(crate) async fn want_stop(&mut self) {
        let bytes = self.record(Wanted::Stop, Some(Reason::new(ReasonCode::Removed, "asked by a test")));
        let op = Op::set(self.roots.instance(&self.spec.id), bytes, Some(self.record_version));
        self.tree.multi(vec![op]).await.unwrap();
    }

    /// Starts the runner, as a launcher does.
    pub(crate) fn start(&mut self) {
        let path = self.directory.join("launch.json");
        fs::write(&path, serde_json::to_vec(&self.spec).unwrap()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let log = fs::File::options().create(true).append(true).open(self.directory.join("runner.log")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_maas_runner"))
            .arg("run")
            .arg("--dir")
            .arg(&self.directory)
            .env("SECRET_OF_THE_MASTER", "must not reach the model")
            .stdin(if self.credential.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        if let (Some(line), Some(mut stdin)) = (&self.credential, child.stdin.take()) {
            writeln!(stdin, "{line}").unwrap();
        }
        self.runner = Some(child);
    }

    /// Puts the instance's directory on a disk of this many MB; false where that is not permitted.
    pub(crate) fn mount(&mut self, megabytes: u32) -> bool {
        let size = format!("size={megabytes}m");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&self.directory).status();
        self.mounted = mount.is_ok_and(|status| status.success());
        self.mounted
    }

    /// Makes a bed, starts the runner and waits until the model is registered.
    pub(crate) async fn ready(model: &Model) -> Bed {
        let mut bed = Bed::make(model).await;
        bed.start();
        bed.registered().await;
        bed
    }

    pub(crate) fn runner_pid(&self) -> i32 {
        self.runner.as_ref().unwrap().id() as i32
    }

    /// The claim as it stands.
    pub(crate) async fn claim(&self) -> Option<Claim> {
        let node = self.tree.get(&self.roots.claim(&self.spec.id)).await.unwrap()?;
        Some(serde_json::from_slice(&node.data).unwrap())
    }

    /// Waits for a claim that is so.
    pub(crate) async fn claim_that(&self, what: &str, is: impl Fn(&Claim) -> bool) -> Claim {
        until(what, async || self.claim().await.filter(&is)).await
    }

    /// The url in the registry, if any.
    pub(crate) async fn registration(&self) -> Option<String> {
        let path = self.roots.registration(self.spec.model.name.as_str(), &self.spec.id);
        let node = self.tree.get(&path).await.unwrap()?;
        let json: serde_json::Value = serde_json::from_slice(&node.data).unwrap();
        Some(json["payload"]["endpoint"]["url"].as_str().unwrap().to_string())
    }

    /// Waits until it is registered and gives the url.
    pub(crate) async fn registered(&self) -> String {
        until("a registration", async || {
            assert!(
                !self.directory.join("exit.json").exists(),
                "{}\n{}",
                self.read("exit.json"),
                self.read("runner.log")
            );
            self.registration().await
        })
        .await
    }

    /// Waits until it is not registered.
    pub(crate) async fn unregistered(&self) {
        until("the registration's end", async || self.registration().await.is_none().then_some(())).await;
    }

    /// Waits for the runner's end: exit code (`None`: by a signal) and what it left behind.
    pub(crate) async fn ended(&mut self) -> (Option<i32>, Option<Exit>) {
        let runner = self.runner.as_mut().unwrap();
        let status = until("the runner's end", async || runner.try_wait().unwrap()).await;
        let exit = fs::read(self.directory.join("exit.json")).ok();
        (status.code(), exit.map(|bytes| serde_json::from_slice(&bytes).unwrap()))
    }

    /// A file of the instance's directory, empty when it is not there.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory.join(name)).unwrap_or_default()
    }

    /// All living processes that carry the instance's id.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let mark = format!("MAAS_INSTANCE_ID={}", self.spec.id);
        let carries = |pid: &i32| {
            fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|bytes| bytes.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()))
        };
        fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(carries)
            .collect()
    }

    /// Those of them whose command line holds `part`.
    pub(crate) fn processes_with(&self, part: &str) -> Vec<i32> {
        let holds = |pid: &i32| {
            fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " ").contains(part))
        };
        self.processes().into_iter().filter(holds).collect()
    }

    /// Waits until no process of the instance lives.
    pub(crate) async fn nothing_left(&self) {
        until("no process to be left", async || self.processes().is_empty().then_some(())).await;
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Some(runner) = &mut self.runner {
            let _ended = runner.kill();
            let _reaped = runner.wait();
        }
        for pid in self.processes() {
            send(pid, Signal::KILL);
        }
        if self.mounted {
            let _busy = Command::new("umount").arg("-l").arg(&self.directory).status();
        }
    }
}

/// Sends a signal.
pub(crate) fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ended = kill_process(pid, signal);
    }
}

/// GET, and the answer as JSON.
pub(crate) async fn get(url: &str) -> Result<serde_json::Value, String> {
    let output = Command::new("curl").args(["-sS", "--max-time", "5", url]).output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}
