//! The contract between a launcher and the runner it starts: one file in, one file out.
//!
//! Local layout of an instance's directory (`<state-dir>/instances/<id>/`):
//! `launch.json` (this, mode 0600, written by the master before the runner starts) · `lock` (flock held by the runner for
//! life; its bytes are a [`LockFile`]) · `work/` (the model's working directory) · `logs/stdout`, `logs/stderr` and their
//! rotated `.1` · `runner.log` · `exit.json` (an [`Exit`], written last).

use crate::config::Roots;
use crate::model::ModelId;
use crate::reason::{InstanceState, Reason};
use crate::registry::Registration;
use crate::request::Resources;
use crate::state::Claim;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Name of the file with a [`LaunchSpec`] in an instance's directory.
pub const LAUNCH_FILE: &str = "launch.json";
/// Name of the file the runner holds `flock` on for life.
pub const LOCK_FILE: &str = "lock";
/// Name of the file with an [`Exit`].
pub const EXIT_FILE: &str = "exit.json";

/// Everything a runner needs to know; it holds no store client and reads no `spec` node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchSpec {
    /// The instance.
    pub id: String,
    /// Which version of which model.
    pub model: ModelId,
    /// ZooKeeper's connect string, chroot included.
    pub zookeeper: String,
    /// Session time-out asked for, ms.
    pub session_timeout_ms: u64,
    /// Where queue, registry and state live.
    pub roots: RootPaths,
    /// The verified payload, a directory with `manifest.json` beside `files/`.
    pub payload: PathBuf,
    /// Its digest.
    pub digest: String,
    /// What the instance may use.
    pub resources: Resources,
    /// Environment: the service's `-e`, then the request's. The payload's own `env` goes between the two.
    pub service_env: BTreeMap<String, String>,
    /// Environment of the request.
    pub env: BTreeMap<String, String>,
    /// Variables whose values are read from these files at start.
    pub secrets: BTreeMap<String, String>,
    /// The host others reach this one by.
    pub advertise: String,
    /// cgroup directory below which the runner makes its leaf; `None`: watch resident size.
    pub cgroup: Option<PathBuf>,
    /// GPUs given to this instance, by index.
    #[serde(default)]
    pub gpu_indices: Vec<u32>,
    /// Whether a second credential follows as the first line on standard input.
    #[serde(default)]
    pub credential_on_stdin: bool,
    /// Longest a log file gets before it is rotated, bytes; one rotated file is kept.
    #[serde(default = "default_log_bytes")]
    pub log_bytes: u64,
}

fn default_log_bytes() -> u64 {
    8 << 20
}

/// [`Roots`] as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootPaths {
    /// The queue's root.
    pub queue: String,
    /// The registry's root.
    pub services: String,
    /// The state's root.
    pub state: String,
}

impl From<&Roots> for RootPaths {
    fn from(roots: &Roots) -> Self {
        RootPaths { queue: roots.queue.clone(), services: roots.services.clone(), state: roots.state.clone() }
    }
}

impl From<RootPaths> for Roots {
    fn from(paths: RootPaths) -> Self {
        Roots { queue: paths.queue, services: paths.services, state: paths.state }
    }
}

/// What the runner writes into its lock file once it holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockFile {
    /// The runner's process id.
    pub pid: u32,
    /// Start time of that process in clock ticks since boot (`/proc/<pid>/stat`), because pids are reused.
    pub start_ticks: u64,
    /// Boot id, because ticks start again.
    pub boot_id: String,
    /// GPUs it holds, by index.
    #[serde(default)]
    pub gpu_indices: Vec<u32>,
}

/// What the runner writes at its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exit {
    /// The instance.
    pub id: String,
    /// `Stopped` or `Failed`.
    pub state: InstanceState,
    /// Why.
    #[serde(flatten)]
    pub reason: Reason,
    /// Exit code of the script (128 + signal when killed by one); `None` when it never ran.
    pub exit_code: Option<i32>,
    /// The host it ran on.
    pub host: String,
    /// When the script was started; `None` when it never was.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Timestamp,
    /// How long the script ran by the monotonic clock, ms.
    pub ran_ms: u64,
    /// Whether it was ever registered.
    pub was_ready: bool,
    /// The last 20 lines of its standard error.
    pub stderr_tail: Vec<String>,
}

/// One line that a scratch run (`maas_runner run --scratch`) prints whenever something changes: what would stand in
/// ZooKeeper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScratchLine {
    /// The claim.
    pub claim: Claim,
    /// The registration; `None` for none.
    pub registration: Option<Registration>,
}
