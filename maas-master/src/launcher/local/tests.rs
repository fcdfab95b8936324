//! The local launcher over real processes and directories, also where the system refuses to tell of them.

use super::*;
use crate::fixture;
use crate::observed::Instance;
use maas_client::launch::{EXIT_FILE, LAUNCH_FILE, LOCK_FILE, LockFile};
use maas_client::model::ModelId;
use maas_client::request::Resources;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::json;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command};
use std::task::Poll;
use tokio::io::unix::AsyncFd;

const ID: &str = "3-1-aaaa";

/// A process that carries an instance's id, killed at the end.
struct Carrier(Child);

impl Carrier {
    fn start(id: &str) -> Carrier {
        Carrier(Command::new("sleep").arg("1000").env(process::INSTANCE_VARIABLE, id).spawn().unwrap())
    }
    /// The lock file it would write as a runner.
    fn lock(&self, gpus: &[u32]) -> LockFile {
        LockFile {
            pid: self.0.id(),
            start_ticks: maas_client::process::look(self.0.id() as i32).unwrap().unwrap().start_ticks,
            boot_id: maas_client::process::boot_id().unwrap(),
            gpu_indices: gpus.to_vec(),
        }
    }
    fn end(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.end();
    }
}

fn launcher(state_dir: &Path) -> Local {
    Local::new(Options {
        node: "here".into(),
        state_dir: state_dir.to_path_buf(),
        runner: "/bin/false".into(),
        zookeeper: "localhost:1".into(),
        session_timeout: Duration::from_secs(10),
        roots: Roots::default(),
        service_env: BTreeMap::new(),
        advertise: "here".into(),
        cgroup: None,
        capacity: Amounts { memory_mb: 1000, vcores: 1, gpus: 2 },
        limits_vcores: false,
        label: String::new(),
        credential_line: None,
    })
}

fn known(state_dir: &Path) -> BTreeMap<String, Arc<Instance>> {
    let mut instance = (*fixture::instance(ID, &fixture::model("dga", "1.0"), true)).clone();
    instance.record.local = Some(LocalHome { node: "here".into(), state_dir: state_dir.to_path_buf() });
    BTreeMap::from([(ID.to_string(), Arc::new(instance))])
}

fn ask(id: &str, gpus: u32) -> Ask {
    Ask {
        store_path: String::new(),
        container: None,
        id: id.into(),
        model: ModelId::new("dga", "1.0").unwrap(),
        resources: Resources { gpus, ..Resources::default() },
        payload: "/nowhere".into(),
        digest: "sha256:0".into(),
        env: BTreeMap::new(),
        secrets: BTreeMap::new(),
    }
}

/// An instance's directory with this lock file.
fn directory(state_dir: &Path, lock: Option<&LockFile>) -> PathBuf {
    let directory = files::directory(state_dir, ID).unwrap();
    fs::create_dir_all(&directory).unwrap();
    if let Some(lock) = lock {
        fs::write(directory.join(LOCK_FILE), serde_json::to_vec(lock).unwrap()).unwrap();
    }
    directory
}

async fn seen(local: &Local, state_dir: &Path) -> Process {
    local.observe(&known(state_dir)).await.processes.remove(ID).unwrap()
}

/// Observes until it is so.
async fn until(local: &Local, state_dir: &Path, is: impl Fn(&Process) -> bool) {
    let mut changed = local.changed();
    let look = async {
        while !is(&seen(local, state_dir).await) {
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), look).await.expect("it never was so");
}

/// Runs the body of the test `name` in a process of its own: what it does to its limits concerns no other test.
fn alone(name: &str, body: impl Future<Output = ()>) {
    let mark = "MAAS_TEST_ALONE";
    if std::env::var_os(mark).is_some() {
        return tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(body);
    }
    let name = format!("{}::{name}", module_path!().split_once("::").unwrap().1);
    let output =
        Command::new(std::env::current_exe().unwrap()).args(["--exact", &name]).env(mark, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn allow_files(count: Option<u64>) {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: count, ..limit }).unwrap();
}

#[test]
fn without_file_descriptors_nothing_is_proved_dead_and_nothing_is_given_away() {
    alone("without_file_descriptors_nothing_is_proved_dead_and_nothing_is_given_away", async {
        let state = tempfile::tempdir().unwrap();
        let mut runner = Carrier::start(ID);
        let directory = directory(state.path(), Some(&runner.lock(&[0])));
        let local = launcher(state.path());
        allow_files(Some(3));
        assert_eq!(seen(&local, state.path()).await, Process::Alive { pid: None });
        assert_eq!(local.take(&ask("another", 1)), None, "whose GPUs are whose is not known");
        for refused in [
            process::find(&BTreeSet::from([ID.to_string()])).err(),
            process::kill_all(ID).err(),
            process::lock_is_free(&files::lock_path(&directory)).err(),
            files::look(&directory).err(),
            files::exit(&directory, ID).err(),
            files::not_ended(state.path()).err(),
        ] {
            assert_eq!(refused.unwrap().raw_os_error(), Some(rustix::io::Errno::MFILE.raw_os_error()));
        }
        allow_files(Some(512));
        assert_eq!(seen(&local, state.path()).await, Process::Alive { pid: Some(runner.0.id()) });
        assert_eq!(local.take(&ask("another", 2)), Some(vec![1]));
        // Its end is noticed, but while nobody can look its death is not proved.
        allow_files(Some(3));
        runner.end();
        let unproved = tokio::time::timeout(Duration::from_millis(100), local.changed().changed()).await;
        assert!(unproved.is_err(), "{:?}", local.slots());
        allow_files(Some(512));
        until(&local, state.path(), |process| *process == Process::Dead { exit: None }).await;
    });
}

#[test]
fn the_limit_on_open_files_is_raised_for_the_master_alone() {
    alone("the_limit_on_open_files_is_raised_for_the_master_alone", async {
        allow_files(Some(64));
        let state = tempfile::tempdir().unwrap();
        let local = launcher(state.path());
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        process::restore_file_limit(Some(child.id()), local.inner.file_limit);
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
        assert_eq!(files.split_whitespace().nth(3), Some("64"), "{files}");
        child.kill().unwrap();
        child.wait().unwrap();
    });
}

#[tokio::test]
async fn a_runner_that_cannot_be_watched_is_waited_for_all_the_same() {
    let mut runner = Carrier::start("9-9-unwatched");
    let handle: OwnedFd = process::runner_of(&runner.lock(&[])).unwrap().unwrap();
    // Watched already: it can't be watched a second time.
    #[expect(deprecated, reason = "its successor is unsafe code")]
    let _watched = AsyncFd::new(handle.as_raw_fd()).unwrap();
    let mut ended = Box::pin(process::ended(&handle));
    let first = std::future::poll_fn(|context| Poll::Ready(ended.as_mut().poll(context))).await;
    assert!(first.is_pending(), "it lives");
    runner.end();
    tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
}

#[tokio::test]
async fn gpus_of_a_dead_runner_stay_taken_until_all_its_processes_are_gone() {
    let state = tempfile::tempdir().unwrap();
    let mut runner = Carrier::start("9-9-other");
    let lock = runner.lock(&[0]);
    runner.end();
    let child = Carrier::start(ID);
    directory(state.path(), Some(&lock));
    let local = launcher(state.path());
    assert_eq!(seen(&local, state.path()).await, Process::Alive { pid: None });
    assert_eq!(local.take(&ask("second", 2)), Some(vec![1]), "its child holds the other");
    // Our own child must be reaped by us; a killed one has no environment any more.
    until(&local, state.path(), |process| process.is_gone()).await;
    assert_eq!(local.take(&ask("third", 2)), Some(vec![0]));
    drop(child);
}

#[tokio::test]
async fn gpus_of_one_that_has_no_lock_yet_are_taken_from_its_launch_file() {
    let state = tempfile::tempdir().unwrap();
    let directory = directory(state.path(), None);
    let local = launcher(state.path());
    let spec = local.spec(&ask(ID, 1), &[1]);
    fs::write(directory.join(LAUNCH_FILE), serde_json::to_vec(&spec).unwrap()).unwrap();
    let _born_just_now = Carrier::start(ID);
    assert_eq!(seen(&local, state.path()).await, Process::Alive { pid: None });
    assert_eq!(local.take(&ask("second", 2)), Some(vec![0]));
}

#[tokio::test]
async fn kept_logs_that_are_too_old_go_without_another_failure() {
    let state = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now();
    for (id, days) in [("1-1-aaaa", 8), ("1-2-bbbb", 6)] {
        let directory = files::directory(state.path(), id).unwrap();
        fs::create_dir_all(directory.join("logs")).unwrap();
        let ended = now - jiff::SignedDuration::from_hours(24 * days);
        let mark = json!({"name": "dga", "version": "1.0", "failed": true, "ended": ended});
        fs::write(directory.join("ended.json"), mark.to_string()).unwrap();
    }
    let local = launcher(state.path());
    local.observe(&BTreeMap::new()).await;
    let old = files::directory(state.path(), "1-1-aaaa").unwrap();
    let gone = async {
        while old.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.unwrap();
    assert!(files::directory(state.path(), "1-2-bbbb").unwrap().exists());
}

#[tokio::test]
async fn the_control_group_of_a_killed_runner_goes_with_its_record() {
    let (state, group) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let directory = directory(state.path(), None);
    let mut options = launcher(state.path()).inner.options.clone();
    options.cgroup = Some(group.path().to_path_buf());
    let local = Local::new(options);
    let spec = local.spec(&ask(ID, 0), &[]);
    fs::write(directory.join(LAUNCH_FILE), serde_json::to_vec(&spec).unwrap()).unwrap();
    fs::write(directory.join(EXIT_FILE), "{}").unwrap();
    fs::create_dir(group.path().join(ID)).unwrap();
    let known = known(state.path());
    let ended = Ended {
        id: ID.into(),
        state: InstanceState::Stopped,
        reason: None,
        host: "here".into(),
        exit_code: None,
        started: wall_time(),
        ended: wall_time(),
    };
    local.forget(ID, &known[ID].record, &ended).await;
    assert!(!group.path().join(ID).exists() && group.path().exists() && !directory.exists());
}
