//! The contract between a launcher and the runner it starts: one file in, one file out.
//!
//! Local layout of an instance's directory (`<state-dir>/instances/<id>/`):
//! `launch.json` (this, mode 0600, written by the master before the runner starts) · `lock` (flock held by the runner for
//! life; its bytes are a [`LockFile`]) · `work/` (the model's working directory) · `logs/stdout`, `logs/stderr` and their
//! rotated `.1` · `runner.log` · `exit.json` (an [`Exit`], written last).
//!
//! In a container of a cluster the same directory is the container's own. There the [`LaunchSpec`] comes as a secret of
//! the container's token file, [`LAUNCH_SECRET`], and the [`Exit`] of a failure as the last line of standard error. Who finds the container's logs after its
//! end learns whose they are from an [`Identity`] among them.

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

/// Name of the file with an [`Identity`] in a container's log directory.
pub const IDENTITY_FILE: &str = "instance.json";
/// The longest such file that is read, bytes: names are short.
pub const MAX_IDENTITY: u64 = 4 << 10;

/// In a container's token file: the secret with a [`LaunchSpec`]; its `payload` is a path inside the container's directory.
pub const LAUNCH_SECRET: &str = "maas.launch";
/// In a container's token file: the secret with the runner's ZooKeeper credential, as one line.
pub const CREDENTIAL_SECRET: &str = "maas.zookeeper";
/// What the line with an [`Exit`] begins with; the node's own words about the container's end repeat that line.
pub const EXIT_MARK: &str = "maas-exit ";
/// The longest such line, bytes: a node repeats the last 4 KiB.
pub const MAX_EXIT_LINE: usize = 3584;

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

impl Exit {
    /// The line with which a runner in a container tells how it ended. The oldest lines of standard error give way to its length.
    pub fn to_line(&self) -> Option<String> {
        let mut exit = self.clone();
        loop {
            let line = format!("{EXIT_MARK}{}", serde_json::to_string(&exit).ok()?);
            if line.len() <= MAX_EXIT_LINE {
                return Some(line);
            }
            if exit.stderr_tail.is_empty() {
                return None;
            }
            exit.stderr_tail.remove(0);
        }
    }

    /// The last such line in a text, if it is this instance's.
    pub fn from_lines(text: &str, id: &str) -> Option<Exit> {
        let lines = text.lines().rev().filter_map(|line| line.trim().strip_prefix(EXIT_MARK));
        lines.filter_map(|json| serde_json::from_str::<Exit>(json).ok()).find(|exit| exit.id == id)
    }
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

/// Whose logs these are: the cluster collects them by container, and nothing else is left that knows the container's instance. Whoever may read a log may
/// read this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The instance.
    pub instance: String,
    /// Which version of which model: `name` and `version`.
    #[serde(flatten)]
    pub model: ModelId,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::ReasonCode;

    #[test]
    fn an_end_is_told_in_one_line_and_found_among_others() {
        let exit = Exit {
            id: "3-1-aaaa".to_string(),
            state: InstanceState::Failed,
            reason: Reason::new(ReasonCode::ScriptExited, "ended with 3"),
            exit_code: Some(3),
            host: "node7".to_string(),
            started: None,
            ended: Timestamp::UNIX_EPOCH,
            ran_ms: 12,
            was_ready: false,
            stderr_tail: (0..200).map(|line| format!("{line}: {}", "x".repeat(50))).collect(),
        };
        let line = exit.to_line().unwrap();
        assert!(line.len() <= MAX_EXIT_LINE && !line.contains('\n'));
        let words = format!("Exit code: 7\n{EXIT_MARK}{{}}\nLast 4096 bytes of runner.stderr :\n{line}\n\n");
        let found = Exit::from_lines(&words, "3-1-aaaa").unwrap();
        assert_eq!(found.stderr_tail.last(), exit.stderr_tail.last());
        assert_eq!((found.reason, found.exit_code), (exit.reason, Some(3)));
        assert_eq!(Exit::from_lines(&words, "3-2-bbbb"), None);
    }
}
