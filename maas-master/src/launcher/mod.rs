//! The seam to where instances run: processes of this machine here, containers elsewhere.
//!
//! A launcher starts runners, ends them and proves their death. It does *not* decide what runs, write ZooKeeper, count,
//! or retry: the reconciler asks again on its next pass.

#[cfg(feature = "fake")]
pub mod fake;
pub mod local;
#[cfg(feature = "yarn")]
pub mod yarn;

use crate::observed::{Instance, Node, Process};
use async_trait::async_trait;
use maas_client::model::ModelId;
use maas_client::reason::Reason;
use maas_client::request::Resources;
use maas_client::state::{Ended, InstanceRecord, LocalHome};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

/// A shared launcher.
pub type SharedLauncher = Arc<dyn Launcher>;

/// One instance that shall be started.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The instance.
    pub id: String,
    /// Which version of which model.
    pub model: ModelId,
    /// What it needs.
    pub resources: Resources,
    /// The verified payload on this machine.
    pub payload: PathBuf,
    /// Its digest.
    pub digest: String,
    /// Where it was published in the store.
    pub store_path: String,
    /// The place that its record names, where the launcher finds places by itself.
    pub container: Option<String>,
    /// Environment of the request.
    pub env: BTreeMap<String, String>,
    /// Variables whose values are read from these files.
    pub secrets: BTreeMap<String, String>,
}

/// What the launcher sees.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Where instances can run.
    pub nodes: Vec<Node>,
    /// Whether it finds places by itself. Then every ask is taken, and waits; what is granted is started once it is handed
    /// over again with its place.
    pub finds_places: bool,
    /// Every instance asked about.
    pub processes: BTreeMap<String, Process>,
}

/// Where an instance's output lies on this machine; each file may be missing, and has an older part beside it (`.1`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFiles {
    /// Standard output.
    pub stdout: PathBuf,
    /// Standard error.
    pub stderr: PathBuf,
}

/// Where an instance's output can be read when it lies with a node of a cluster: plain text, of which `size=-N` asks for the
/// last N bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteLogs {
    /// The node, `http://HOST:PORT`.
    pub node: String,
    /// Path of standard output.
    pub stdout: String,
    /// Path of standard error.
    pub stderr: String,
}

/// Starts and ends runners. All methods may be called again with the same arguments.
#[async_trait]
pub trait Launcher: Send + Sync + 'static {
    /// `local`, `yarn` or `ec2`.
    fn kind(&self) -> &'static str;

    /// Where new instances live, when they are processes of this machine.
    fn home(&self) -> Option<LocalHome>;

    /// Hands over all that shall run and is not running. Returns once the asks are taken, not once they run; an ask that
    /// fails shows as [`Process::Dead`]. An id that was taken before is left as it is.
    async fn ensure(&self, asks: Vec<Ask>);

    /// Kills all processes of an instance. Not found is done.
    async fn kill(&self, id: &str, record: &InstanceRecord);

    /// What it sees of these instances (all that have a record) and of its nodes.
    async fn observe(&self, known: &BTreeMap<String, Arc<Instance>>) -> Report;

    /// An instance's record is gone: keep what is to be kept of its output, clean the rest.
    async fn forget(&self, id: &str, record: &InstanceRecord, ended: &Ended);

    /// Where the output of an instance lies, when it lies on this machine. One that has ended has no record any more.
    fn logs(&self, id: &str, record: Option<&InstanceRecord>) -> Option<LogFiles>;

    /// Where the output of an instance lies, when a node of a cluster has it and it is known which.
    fn remote_logs(&self, _id: &str) -> Option<RemoteLogs> {
        None
    }

    /// What would become of so many more instances with these needs: why not all of them would run now, or ever. `None` when they would, or when
    /// the plan knows that better than the launcher.
    fn forecast(&self, _needs: &Resources, _count: u32) -> Option<Reason> {
        None
    }

    /// Changes whenever something of an instance may have changed; carries no information.
    fn changed(&self) -> watch::Receiver<u64>;
}
