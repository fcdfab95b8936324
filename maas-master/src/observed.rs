//! What is there: instance records, claims, registrations, processes, payloads and room. Plain data, made by the observer.

use crate::clock::Moment;
use maas_client::api::Amounts;
use maas_client::launch::Exit;
use maas_client::model::{ModelId, ModelName};
use maas_client::reason::{InstanceState, Reason, ReasonCode};
use maas_client::registry::Endpoint;
use maas_client::state::{CallSettings, Claim, InstanceRecord, Wanted};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Everything one pass looks at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// Instances by id: all that have a record.
    pub instances: BTreeMap<String, Arc<Instance>>,
    /// The payload of each version that was looked for.
    pub payloads: BTreeMap<ModelId, Payload>,
    /// Where instances can run.
    pub nodes: Vec<Node>,
    /// Registrations that could be read, of whomever, by model and id.
    pub endpoints: BTreeMap<(ModelName, String), Arc<Endpoint>>,
}

/// One node that can hold instances.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name.
    pub host: String,
    /// All it has to give.
    pub total: Amounts,
    /// Its label, empty for none.
    pub label: String,
    /// Whether the sum of virtual cores is limited. Without an explicit limit they are shared, as in YARN's default.
    pub limits_vcores: bool,
}

/// One instance that has a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its id.
    pub id: String,
    /// The master's intent.
    pub record: InstanceRecord,
    /// Data version of the record's node.
    pub record_version: i32,
    /// The runner's claim.
    pub claim: Option<Claim>,
    /// Its registration's url; `None` when it is not registered.
    pub registered: Option<String>,
    /// What the launcher says.
    pub process: Process,
    /// Since when this leader knows of it.
    pub seen: Moment,
    /// Since when it has had no claim; `None` while it has one.
    pub unclaimed_since: Option<Moment>,
    /// Whether this leader ever saw it claimed.
    pub was_claimed: bool,
    /// Since when it shall stop.
    pub stopping_since: Option<Moment>,
    /// When the launcher was last told to kill it.
    pub killed_at: Option<Moment>,
}

/// What the launcher knows of an instance's process.
#[derive(Debug, Clone, PartialEq)]
pub enum Process {
    /// The launcher can't say: another host's instance. Entered for those; left when that host's master leads.
    Unknown,
    /// Nothing was started under this id. Entered with the record; left by a launch.
    Absent,
    /// Handed to the launcher or running. Left only by death.
    Alive {
        /// The runner's process, once there is one.
        pid: Option<u32>,
    },
    /// Its death is proved: lock free, no process of it left. Final.
    Dead {
        /// What the runner wrote at its end; `None` when it was killed before it could.
        exit: Option<Exit>,
    },
}

impl Process {
    /// True when the launcher proved the death, or that there never was life.
    pub fn is_gone(&self) -> bool {
        matches!(self, Process::Dead { .. } | Process::Absent)
    }
}

/// Where a version's payload stands on this master.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// Being fetched or imported.
    Busy {
        /// True when it is an import of a tree without manifest.
        importing: bool,
    },
    /// In the cache and verified.
    Present {
        /// Where: `manifest.json` beside `files/`.
        directory: PathBuf,
        /// Its digest.
        digest: String,
        /// How it is to be called, by its settings.
        call: CallSettings,
        /// How long its instances may take to drain and stop, s.
        stop_bound_s: u64,
    },
    /// It could not be read.
    Failed {
        /// Why.
        reason: Reason,
        /// When it is tried again.
        retry_at: Moment,
    },
}

impl Instance {
    /// Where it stands, and why when that is not simply so. Pure.
    pub fn state(&self) -> (InstanceState, Option<Reason>) {
        let wanted_reason = self.record.reason.clone();
        if let Process::Dead { exit } = &self.process {
            return match exit {
                Some(exit) => (exit.state, Some(exit.reason.clone())),
                None if self.record.wanted == Wanted::Stop => (InstanceState::Stopped, wanted_reason),
                None => (InstanceState::Failed, Some(Reason::new(ReasonCode::Killed, "its runner was killed"))),
            };
        }
        match (&self.claim, self.record.wanted) {
            (Some(claim), Wanted::Stop) if !claim.state.is_ended() => {
                (InstanceState::Draining, wanted_reason.or_else(|| claim.reason.clone()))
            }
            (Some(claim), Wanted::Run) if claim.state == InstanceState::Ready && self.registered.is_none() => {
                (InstanceState::Unready, Some(Reason::new(ReasonCode::Unregistered, "its registration is gone")))
            }
            (Some(claim), _) => (claim.state, claim.reason.clone()),
            (None, Wanted::Stop) => (InstanceState::Draining, wanted_reason),
            (None, Wanted::Run) if self.was_claimed || self.process == Process::Unknown => {
                (InstanceState::Unready, Some(Reason::new(ReasonCode::Unregistered, "its runner is out of sight")))
            }
            (None, Wanted::Run) if self.process == Process::Absent => (InstanceState::Requested, None),
            (None, Wanted::Run) => (InstanceState::Allocated, None),
        }
    }

    /// Orders instances by when they were launched, whatever any clock said: epoch, then number within it.
    pub fn birth(&self) -> (i32, u64) {
        let number = self.id.split('-').nth(1).and_then(|number| number.parse().ok());
        (self.record.epoch, number.unwrap_or(0))
    }

    /// True while it counts towards the wanted number.
    pub fn is_counted(&self) -> bool {
        self.record.wanted == Wanted::Run && !matches!(self.process, Process::Dead { .. })
    }

    /// True when it answers callers.
    pub fn is_ready(&self) -> bool {
        self.is_counted() && self.state().0 == InstanceState::Ready
    }
}
