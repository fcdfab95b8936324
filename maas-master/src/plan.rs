//! From desired and observed to steps, each with its reason. Pure and total: no I/O, no clock, no chance of its own.
//!
//! The same input gives the same plan, and a plan of a reached state is empty. Doing the steps is `execute`'s.

mod place;
#[cfg(test)]
mod tests;
mod version;

use crate::clock::{Moment, Now};
use crate::desired::Desired;
use crate::observed::{Instance, Observed};
use crate::policy::Policy;
use maas_client::api::{CapacityView, PlanVerdict};
use maas_client::model::ModelId;
use maas_client::reason::{Reason, VersionState};
use maas_client::state::Ended;
use std::collections::{BTreeMap, HashMap};

/// What is to be done, what waits, and where each version stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Steps in the order of their versions' arrival; each may be done without the others.
    pub steps: Vec<Step>,
    /// Where each version stands.
    pub verdicts: BTreeMap<ModelId, Verdict>,
    /// Room per node and what waits for it, in order.
    pub capacity: Option<CapacityView>,
    /// When a pass is needed again though nothing changes.
    pub wake_at: Option<Moment>,
}

/// One step: what, of which version, why.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The version it is for.
    pub model: ModelId,
    /// What to do.
    pub effect: Effect,
    /// Why, for a person.
    pub reason: String,
}

/// What a step does. Each is idempotent and carries all it needs.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Fetch the payload into the cache, or import a tree without manifest.
    Fetch,
    /// Record what the payload's settings say (digest, call) in the desired state.
    RecordPayload,
    /// Create a record on this node and hand it to the launcher.
    Launch {
        /// The node.
        host: String,
    },
    /// Hand a record that nothing was started for to the launcher (again).
    Start {
        /// The instance.
        id: String,
    },
    /// Name in the record the place that was found, then have it started there.
    Place {
        /// The instance.
        id: String,
    },
    /// Set `wanted: stop`.
    Stop {
        /// The instance.
        id: String,
        /// Why, as it will stand in the record.
        why: Reason,
    },
    /// Use the launcher's kill.
    Kill {
        /// The instance.
        id: String,
    },
    /// Delete the record (and what claim and registration are left) of an instance whose death is proved.
    Bury {
        /// The instance.
        id: String,
        /// What is kept of it.
        ended: Box<Ended>,
        /// Whether it counts as a quick failure.
        quick: bool,
    },
    /// Forget a crash loop after good minutes.
    Forgive,
    /// Begin to take the payload out of the store.
    Purge,
    /// Record that the purge is over.
    RecordPurge {
        /// Why the payload was kept, when it was.
        kept: Option<String>,
    },
}

impl Effect {
    /// One word for it, as HTTP and `maas_deploy plan` show it.
    pub fn word(&self) -> &'static str {
        match self {
            Effect::Fetch => "import",
            Effect::RecordPayload => "record",
            Effect::Launch { .. } => "launch",
            Effect::Start { .. } => "start",
            Effect::Place { .. } => "place",
            Effect::Stop { .. } => "stop",
            Effect::Kill { .. } => "kill",
            Effect::Bury { .. } => "delete",
            Effect::Forgive => "forgive",
            Effect::Purge => "purge",
            Effect::RecordPurge { .. } => "record purge",
        }
    }

    /// The instance it concerns, where there is one already.
    pub fn instance(&self) -> Option<&str> {
        match self {
            Effect::Start { id } | Effect::Place { id } | Effect::Stop { id, .. } => Some(id),
            Effect::Kill { id } | Effect::Bury { id, .. } => Some(id),
            Effect::Fetch | Effect::RecordPayload | Effect::Launch { .. } | Effect::Forgive => None,
            Effect::Purge | Effect::RecordPurge { .. } => None,
        }
    }
}

/// Where a version stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Its state.
    pub state: VersionState,
    /// Why, unless it is simply Ready.
    pub reason: Option<Reason>,
    /// How many answer.
    pub ready: u32,
    /// How many of its instances are wanted and not there.
    pub missing: u32,
    /// Whether what is missing can be had.
    pub fits: PlanVerdict,
}

/// What a version needs decided: everything there is to know of it, in one place.
struct Case<'a> {
    model: &'a ModelId,
    version: Option<&'a crate::desired::Version>,
    instances: Vec<&'a Instance>,
}

/// Decides. See the module's doc for what it promises.
pub fn plan(desired: &Desired, observed: &Observed, policy: &Policy, now: &Now) -> Plan {
    let mut plan = Plan::default();
    let mut room = place::Room::new(&observed.nodes, observed.finds_places);
    let mut waiting = place::Queue::default();
    for case in cases(desired, observed, &mut room) {
        let mut pass = version::Pass { desired, observed, policy, now, room: &mut room, waiting: &mut waiting };
        let verdict = pass.decide(&case, &mut plan);
        if case.version.is_some() {
            plan.verdicts.insert(case.model.clone(), verdict);
        }
    }
    plan.capacity = Some(CapacityView { nodes: room.view(), waiting: waiting.into_views() });
    plan
}

/// One walk over all instances: what they hold is counted, and each goes to its version.
///
/// Versions come in the order of their arrival; instances of versions that nobody knows come first, they only give room back.
fn cases<'a>(desired: &'a Desired, observed: &'a Observed, room: &mut place::Room<'a>) -> Vec<Case<'a>> {
    let mut by_model: HashMap<&ModelId, Vec<&Instance>> = HashMap::with_capacity(desired.versions.len());
    for instance in observed.instances.values() {
        room.hold(instance);
        by_model.entry(&instance.record.model).or_default().push(instance);
    }
    let mut cases: Vec<Case<'a>> = desired
        .versions
        .iter()
        .map(|(model, version)| Case {
            model,
            version: Some(version),
            instances: by_model.remove(model).unwrap_or_default(),
        })
        .collect();
    cases.sort_by_cached_key(|case| case.version.map(|version| (version.arrival(), case.model)));
    let unknown = by_model.into_iter().map(|(model, instances)| Case { model, version: None, instances });
    let mut all: Vec<Case<'a>> = unknown.collect();
    all.sort_by_key(|case| case.model);
    all.append(&mut cases);
    all
}
