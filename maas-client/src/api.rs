//! HTTP bodies that the master serves and `maas_deploy` (and anyone else) reads. Fields are fixed; more may come.

use crate::event::Event;
use crate::model::{ModelName, ModelVersion};
use crate::reason::{InstanceState, Reason, VersionState};
use crate::request::Action;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One version: an element of `GET /api/v1/models`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelView {
    /// The model.
    pub name: ModelName,
    /// The version.
    pub version: ModelVersion,
    /// Whether it is the version callers get by default.
    pub current: bool,
    /// Whether our master manages it (false: registered by others).
    pub managed: bool,
    /// How many are wanted.
    pub desired: u32,
    /// How many of ours are wanted, claimed and registered; of a version of others, how many are registered.
    pub ready: u32,
    /// Its state.
    pub state: VersionState,
    /// Why.
    #[serde(flatten, with = "crate::reason::nullable")]
    pub reason: Option<Reason>,
    /// Restarts altogether.
    pub restarts: u64,
    /// Memory of one instance, MB.
    pub memory_mb: u64,
    /// Virtual cores of one instance.
    pub vcores: u32,
    /// GPUs of one instance.
    pub gpus: u32,
    /// Where the payload lies in the store.
    pub path: String,
    /// Its digest, once known.
    pub digest: Option<String>,
    /// When it was first asked for.
    pub published: Option<Timestamp>,
    /// Who asked.
    pub by: Option<String>,
    /// Its instances.
    pub instances: Vec<InstanceView>,
}

/// One instance: an element of `GET /api/v1/instances`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceView {
    /// The instance.
    pub id: String,
    /// The model.
    pub name: ModelName,
    /// The version.
    pub version: ModelVersion,
    /// Its state.
    pub state: InstanceState,
    /// Published url, once known.
    pub url: Option<String>,
    /// The host it runs on.
    pub host: String,
    /// The runner's process id (local).
    pub pid: Option<u32>,
    /// Its container (YARN, EC2).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub container: Option<String>,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// Restarts of its version before it.
    pub restarts: u64,
    /// Memory it may use, MB.
    pub memory_mb: u64,
    /// Memory it uses, MB.
    pub memory_used_mb: Option<u64>,
    /// Why it is in its state.
    #[serde(flatten, with = "crate::reason::nullable")]
    pub reason: Option<Reason>,
    /// Exit code, once it has ended.
    pub exit_code: Option<i32>,
}

/// `GET /api/v1/capacity`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CapacityView {
    /// Each node.
    pub nodes: Vec<NodeView>,
    /// What waits for room, in order.
    pub waiting: Vec<WaitingView>,
}

/// One node's room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeView {
    /// The node.
    pub host: String,
    /// All there is to give.
    pub total: Amounts,
    /// What is given.
    pub used: Amounts,
    /// What is left.
    pub free: Amounts,
    /// Whether instances share the virtual cores: then more may be asked for than there are.
    #[serde(default)]
    pub shares_vcores: bool,
}

/// An amount of each kind of resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// Memory, MB.
    pub memory_mb: u64,
    /// Virtual cores.
    pub vcores: u32,
    /// GPUs.
    pub gpus: u32,
}

/// A version that waits for room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitingView {
    /// The model.
    pub name: ModelName,
    /// The version.
    pub version: ModelVersion,
    /// How many of its instances wait.
    pub count: u32,
    /// Why.
    #[serde(flatten)]
    pub reason: Reason,
}

/// Body of `POST`/`PUT /api/v1/plan`: a request that is only thought through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanQuestion {
    /// What would be asked.
    pub action: Action,
    /// Of which model.
    pub name: ModelName,
    /// Of which version.
    pub version: ModelVersion,
    /// How many.
    pub num_instances: u32,
    /// What each needs; ignored for REMOVE.
    #[serde(default)]
    pub resources: Option<crate::request::Resources>,
}

/// Answer to a [`PlanQuestion`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanAnswer {
    /// Whether it could be done now, later or never.
    pub verdict: PlanVerdict,
    /// Why, when it is not now.
    #[serde(flatten, with = "crate::reason::nullable")]
    pub reason: Option<Reason>,
    /// What would follow, each with its reason.
    pub steps: Vec<PlannedStep>,
}

/// Whether a request could be satisfied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanVerdict {
    /// Fits now.
    Now,
    /// Would wait for room.
    Waits,
    /// Can never fit.
    Never,
}

/// One step of a plan, for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// `launch`, `stop`, `kill`, `unregister`, `import` …
    pub step: String,
    /// The model.
    pub name: ModelName,
    /// The version.
    pub version: ModelVersion,
    /// The instance, where there is one already.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instance: Option<String>,
    /// Why.
    pub reason: String,
}

/// `GET /api/v1/status`, and `maas_service status --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceView {
    /// The leader; `None` when none leads.
    pub leader: Option<crate::state::Leader>,
    /// Hosts and pids of masters that stand by, where known.
    #[serde(default)]
    pub standbys: Vec<String>,
    /// ZooKeeper's connect string.
    pub zookeeper: String,
    /// Requests waiting in the queue.
    pub queue_length: u64,
    /// Age of the oldest of them, s.
    pub queue_oldest_s: Option<f64>,
    /// Messages set aside in the last 24 hours; none where they are closed to whoever looked.
    #[serde(default)]
    pub rejected_24h: Option<u64>,
    /// Versions by state.
    pub models: std::collections::BTreeMap<String, u64>,
    /// Instances by state.
    pub instances: std::collections::BTreeMap<String, u64>,
    /// Room per node and what waits; `None` when the master can't be asked.
    pub capacity: Option<CapacityView>,
    /// The last events of no one version.
    #[serde(default)]
    pub events: Vec<Event>,
}

/// An error's body, RFC 9457 `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A short name of the kind of problem, stable: `about:blank` is never used.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is, the same for all of a kind.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// This occurrence: what, which value, what to do.
    pub detail: String,
    /// From the fixed list of error codes.
    pub code: String,
}

/// `GET /api/v1/reach?name=&id=`: what the port of a registration says to the master, asked once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachView {
    /// The registration's node name.
    pub id: String,
    /// The url it registered.
    pub url: String,
    /// What its port said.
    pub answer: Reach,
    /// Why it is unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
}

/// What a port said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// Somebody listens.
    Answers,
    /// The connection was refused.
    Refused,
    /// A time-out, or anything else that proves nothing.
    Unknown,
}
