//! The nodes below the state root: what is wanted, which instances were asked for, what became of each request.
//!
//! Plain data with its JSON form; who writes what, and under which fence, is the control protocol's
//! (ARCHITECTURE.md). Readers ignore unknown fields, so that an older program reads a newer node.

use crate::event::Event;
use crate::model::{ModelId, ModelName, ModelVersion};
use crate::reason::{InstanceState, Reason, VersionState};
use crate::request::{Action, Resources};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The format this library writes. A master that meets a newer one does not lead.
pub const FORMAT: u32 = 1;

/// `<state>/leader`: the leader, for information.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    /// Fencing number of this leadership.
    pub epoch: i32,
    /// The host it runs on.
    pub host: String,
    /// Its process id.
    pub pid: u32,
    /// Its HTTP address as others reach it; `None` when it listens on loopback only.
    pub http: Option<String>,
    /// Its HTTP address on its own host.
    pub http_local: Option<String>,
    /// Its program version.
    pub version: String,
    /// Since when it leads.
    pub since: Timestamp,
    /// The YARN application it is the master of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub application: Option<String>,
    /// That application's attempt.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attempt: Option<u32>,
}

/// `<state>/cluster`: what clients need to know to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Format of the state tree; see [`FORMAT`].
    pub format: u32,
    /// URL of the model store, e.g. `file:///var/lib/maas/store`.
    pub store: String,
    /// `local`, `yarn` or `ec2`.
    pub launcher: String,
}

/// `<state>/stop`: all masters on this root end. Written by the stop command, deleted by the leader, last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stop {
    /// Drain and stop the models first.
    pub with_models: bool,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// How callers call a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallSettings {
    /// `GET` (query parameters, as Metron) or `POST` (a JSON body).
    pub method: Method,
    /// Longest time one try may take, ms.
    pub timeout_ms: u64,
    /// Whether a call may be sent again after it may have been received.
    pub idempotent: bool,
}

impl Default for CallSettings {
    fn default() -> Self {
        CallSettings { method: Method::Get, timeout_ms: 5000, idempotent: true }
    }
}

/// The HTTP method of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Arguments as query parameters.
    Get,
    /// Arguments as a JSON body.
    Post,
}

/// `<state>/models/<name>/<version>`: what is wanted. Written by intake (and by the import step, which fills `digest` and `call`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// How many instances are wanted.
    pub count: u32,
    /// The payload's digest; `None` until the payload of a Metron client is imported.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<String>,
    /// Where the payload lies in the store.
    pub path: String,
    /// What each instance needs.
    #[serde(default)]
    pub resources: Resources,
    /// How callers call it.
    #[serde(default)]
    pub call: CallSettings,
    /// Bumped whenever an ADD asks to start over (resets a crash loop).
    #[serde(default)]
    pub generation: u64,
    /// When it was first asked for.
    pub published: Timestamp,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
    /// The last request that changed it.
    #[serde(default)]
    pub request: String,
    /// Take the payload out of the store once nothing runs and nothing is wanted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub purge: bool,
    /// The payload was taken out of the store: only an ADD brings it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub purged: bool,
}

/// `…/spec`: what only masters may read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spec {
    /// Environment given with the request.
    pub env: BTreeMap<String, String>,
    /// Variables whose values the runner reads from these files.
    pub secrets: BTreeMap<String, String>,
}

/// `…/status`: what the leader says of a version, at most once a second and 32 KiB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The version's state.
    pub state: VersionState,
    /// Why, unless it is simply Ready.
    #[serde(flatten)]
    pub reason: Option<Reason>,
    /// How many are claimed, wanted and registered.
    pub ready: u32,
    /// How many wanted when this was written.
    pub desired: u32,
    /// Failures in a row, each soon after its start.
    #[serde(default)]
    pub failures: u32,
    /// Restarts altogether.
    #[serde(default)]
    pub restarts: u64,
    /// What is left of the crash loop's backoff, ms: a duration, so that clocks do not matter.
    #[serde(default)]
    pub backoff_ms: u64,
    /// The generation of [`Desired`] that `failures` count for.
    #[serde(default)]
    pub generation: u64,
    /// Ended instances, newest last, at most 20.
    #[serde(default)]
    pub ended: Vec<Ended>,
    /// The last events, oldest first, at most 50.
    #[serde(default)]
    pub events: Vec<Event>,
}

/// What is kept of an instance that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The instance.
    pub id: String,
    /// `Stopped` or `Failed`.
    pub state: InstanceState,
    /// Why.
    #[serde(flatten)]
    pub reason: Option<Reason>,
    /// Where it ran.
    #[serde(default)]
    pub host: String,
    /// Exit code of the model's process.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// When it was started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
}

/// Whether an instance shall run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// Start it and keep it.
    Run,
    /// Drain and end it.
    Stop,
}

/// `<state>/instances/<id>`: the master's intent for one instance. Only masters write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceRecord {
    /// Which version of which model.
    #[serde(flatten)]
    pub model: ModelId,
    /// Whether it shall run.
    pub wanted: Wanted,
    /// Why it shall stop, once it shall.
    #[serde(flatten)]
    pub reason: Option<Reason>,
    /// The epoch it was created in.
    pub epoch: i32,
    /// What it needs.
    pub resources: Resources,
    /// The payload it runs.
    pub digest: String,
    /// The host it is meant for, by the name that is published with its endpoint.
    pub host: String,
    /// YARN container or EC2 instance, once granted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub container: Option<String>,
    /// Where it lives when it is a process of a master's own machine.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub local: Option<LocalHome>,
    /// When the record was made.
    pub created: Timestamp,
    /// How long draining and stopping may take before the launcher kills it, s.
    #[serde(default)]
    pub stop_bound_s: u64,
}

impl InstanceRecord {
    /// Where an instance stands that nobody has claimed.
    pub fn unclaimed_state(&self) -> InstanceState {
        match self.wanted {
            Wanted::Stop => InstanceState::Draining,
            Wanted::Run if self.container.is_some() || self.local.is_some() => InstanceState::Allocated,
            Wanted::Run => InstanceState::Requested,
        }
    }
}

/// Where a process of a master's own machine lives, so that every master of that machine finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalHome {
    /// The machine, by its own name, whatever name it is published by.
    pub node: String,
    /// The state directory of the master that launched it, absolute.
    pub state_dir: PathBuf,
}

/// `<state>/instances/<id>/runner`: the runner's ephemeral claim. Only that runner writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Where the instance stands.
    pub state: InstanceState,
    /// Why, unless it is simply Ready.
    #[serde(flatten)]
    pub reason: Option<Reason>,
    /// The runner's process id.
    pub pid: u32,
    /// The host, as published.
    pub host: String,
    /// The published url, once known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
    /// When the script was started.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub started: Option<Timestamp>,
    /// Resident memory of the whole process tree, MB; refreshed now and then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory_used_mb: Option<u64>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The wanted number was changed (or was so already).
    Accepted,
    /// Refused with a reason.
    Refused,
    /// Another request with the same idempotency key was there first.
    Duplicate,
}

/// `<state>/requests/<id>`: a request's outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The request's id: queue child and czxid in hex.
    pub id: String,
    /// What was asked.
    pub action: Action,
    /// Of which model.
    pub name: ModelName,
    /// Of which version.
    pub version: ModelVersion,
    /// How many.
    pub num_instances: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// A code from the list of errors (`conflict_resources`, `no_version`, …) when it was refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// The particulars, for a person; empty when there is nothing to say.
    #[serde(default)]
    pub reason: String,
    /// Wanted number before.
    #[serde(default)]
    pub before: u32,
    /// Wanted number after.
    #[serde(default)]
    pub after: u32,
    /// The other request, when this is a duplicate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duplicate_of: Option<String>,
    /// When.
    pub time: Timestamp,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
}

/// `<state>/rejected/<id>`: a message that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Queue child and czxid in hex.
    pub id: String,
    /// The first 4 KiB, base64.
    pub message: String,
    /// Length of the whole message, bytes.
    pub length: u64,
    /// SHA-256 of the whole message, hex.
    pub sha256: String,
    /// Why it was set aside.
    pub reason: String,
    /// When.
    pub time: Timestamp,
}

/// `<state>/journal`: events of no one version, and counters that outlive a master.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    /// The last events, oldest first, at most 100.
    pub events: Vec<Event>,
    /// Literal `null` messages seen (Metron's LIST leaves them).
    pub nulls: u64,
}
