//! What is there: instance records, claims, registrations, processes, payloads and room. Plain data, made by the observer.

use crate::clock::Moment;
use crate::policy::Policy;
use maas_client::api::Amounts;
use maas_client::launch::Exit;
use maas_client::model::{ModelId, ModelName};
use maas_client::reason::{InstanceState, Reason, ReasonCode};
use maas_client::registry::Endpoint;
use maas_client::standing;
use maas_client::state::{CallSettings, Claim, InstanceRecord, Wanted};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Everything one pass looks at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// Instances by id: all that have a record.
    pub instances: BTreeMap<String, Arc<Instance>>,
    /// The payload of each version that was looked for.
    pub payloads: BTreeMap<ModelId, Payload>,
    /// The purges that were started, by version.
    pub purges: BTreeMap<ModelId, Purge>,
    /// Where instances can run.
    pub nodes: Vec<Node>,
    /// Whether the launcher finds places by itself; else a plan names a node for each instance.
    pub finds_places: bool,
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
    /// Whether a runner has ever claimed it.
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
    /// Asked of a launcher that finds places by itself, and not granted. Left by a grant, or with the record.
    Waiting {
        /// Why it is not granted, where that is known.
        reason: Option<Reason>,
    },
    /// A place was found, and nothing runs there. Left for [`Process::Alive`] once the record names the place.
    Granted {
        /// The place.
        container: String,
        /// Its host.
        host: String,
    },
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
        matches!(self, Process::Dead { .. }) || self.never_lived()
    }

    /// True when nothing was ever started.
    pub fn never_lived(&self) -> bool {
        matches!(self, Process::Absent | Process::Waiting { .. } | Process::Granted { .. })
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

/// Where taking a version's payload out of the store stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Purge {
    /// Being done.
    Busy,
    /// Done; left when that is recorded.
    Done {
        /// Why it was kept, when it was.
        kept: Option<String>,
    },
    /// The store could not do it.
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
        if let Process::Dead { exit } = &self.process {
            return match exit {
                Some(exit) => (exit.state, Some(exit.reason.clone())),
                None if self.record.wanted == Wanted::Stop => (InstanceState::Stopped, self.record.reason.clone()),
                None => (InstanceState::Failed, Some(Reason::new(ReasonCode::Killed, "its runner was killed"))),
            };
        }
        if let (Process::Waiting { reason }, Wanted::Run) = (&self.process, self.record.wanted) {
            return (InstanceState::Requested, reason.clone());
        }
        // Of another host's instance without a claim nothing better is known than that it is out of sight.
        let was_claimed = self.was_claimed || self.process == Process::Unknown;
        let standing = standing::of_instance(&self.record, self.claim.as_ref(), self.registered.is_some(), was_claimed);
        match standing.0 {
            InstanceState::Requested if matches!(self.process, Process::Alive { .. }) => {
                (InstanceState::Allocated, standing.1)
            }
            InstanceState::Allocated if self.process == Process::Absent => (InstanceState::Requested, standing.1),
            _ => standing,
        }
    }

    /// Orders instances by when they were launched, whatever any clock said: epoch, then number within it.
    pub fn birth(&self) -> (i32, u64) {
        let number = self.id.split('-').nth(1).and_then(|number| number.parse().ok());
        (self.record.epoch, number.unwrap_or(0))
    }

    /// True when this master can do no more about it: another host's instance whose runner is gone, or did not stop in
    /// its time. Its record stays until a master of that host proves its death.
    pub fn is_beyond_reach(&self, policy: &Policy, now: Moment) -> bool {
        let bound = Duration::from_secs(self.record.stop_bound_s).saturating_add(policy.stop_margin);
        let in_time = self.stopping_since.is_some_and(|since| now.since(since) < bound);
        let may_stop_yet = self.claim.is_some() && (in_time || self.record.wanted == Wanted::Run);
        self.process == Process::Unknown && !may_stop_yet
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// What makes an instance what it is: claim, registered, wanted, process, seen claimed before.
    fn instance(claim: Option<InstanceState>, registered: bool, wanted: Wanted, process: Process) -> Instance {
        let mut instance = (*fixture::instance("3-1-aaaa", &fixture::model("dga", "1.0"), true)).clone();
        instance.claim = claim.map(|state| Claim { state, ..instance.claim.clone().unwrap() });
        instance.was_claimed = claim.is_some();
        instance.registered = instance.registered.filter(|_| registered);
        instance.record.wanted = wanted;
        instance.record.reason =
            (wanted == Wanted::Stop).then(|| Reason::new(ReasonCode::Removed, "1 wanted by request 7"));
        instance.process = process;
        instance
    }

    const ALIVE: Process = Process::Alive { pid: Some(99) };

    #[test]
    fn what_is_wanted_goes_through_its_states() {
        use InstanceState::{Allocated, Localizing, Ready, Requested, Starting, Unready};
        let state = |claim, registered, process| instance(claim, registered, Wanted::Run, process).state().0;
        assert_eq!(state(None, false, Process::Absent), Requested);
        assert_eq!(state(None, false, ALIVE), Allocated);
        for claimed in [Localizing, Starting, Unready] {
            assert_eq!(state(Some(claimed), false, ALIVE), claimed);
        }
        assert_eq!(state(Some(Ready), true, ALIVE), Ready);
        assert_eq!(state(Some(Ready), true, Process::Unknown), Ready, "another host's answers as well");
    }

    #[test]
    fn ready_without_a_registration_is_unready_and_says_so() {
        let (state, reason) = instance(Some(InstanceState::Ready), false, Wanted::Run, ALIVE).state();
        assert_eq!((state, reason.unwrap().code), (InstanceState::Unready, ReasonCode::Unregistered));
    }

    #[test]
    fn out_of_sight_is_unready_until_its_death_is_proved() {
        let mut lost = instance(None, false, Wanted::Run, ALIVE);
        lost.was_claimed = true;
        let (state, reason) = lost.state();
        assert_eq!((state, reason.unwrap().code), (InstanceState::Unready, ReasonCode::Unregistered));
        assert!(lost.is_counted() && !lost.is_ready());
        let elsewhere = instance(None, false, Wanted::Run, Process::Unknown);
        assert_eq!(elsewhere.state().0, InstanceState::Unready);
        lost.process = Process::Dead { exit: None };
        let (state, reason) = lost.state();
        assert_eq!((state, reason.unwrap().code), (InstanceState::Failed, ReasonCode::Killed));
        assert!(!lost.is_counted());
    }

    #[test]
    fn what_is_told_to_stop_drains_for_the_reason_it_was_told() {
        for claim in [None, Some(InstanceState::Ready), Some(InstanceState::Draining)] {
            let told = instance(claim, false, Wanted::Stop, ALIVE);
            let (state, reason) = told.state();
            assert_eq!((state, reason.unwrap().text.as_str()), (InstanceState::Draining, "1 wanted by request 7"));
            assert!(!told.is_counted() && !told.is_ready());
        }
        let ended = instance(Some(InstanceState::Stopped), false, Wanted::Stop, ALIVE);
        assert_eq!(ended.state().0, InstanceState::Stopped, "its own last word counts");
    }

    #[test]
    fn the_dead_are_what_they_wrote_and_silent_ones_what_they_were_told() {
        let silent = instance(None, false, Wanted::Stop, Process::Dead { exit: None });
        assert_eq!(silent.state().0, InstanceState::Stopped);
        let exit = Exit {
            id: "3-1-aaaa".into(),
            state: InstanceState::Failed,
            reason: Reason::new(ReasonCode::OutOfMemory, "used 312 MB of 256 MB"),
            exit_code: Some(137),
            host: "a".into(),
            started: None,
            ended: fixture::time(),
            ran_ms: 1,
            was_ready: true,
            stderr_tail: vec![],
        };
        // A claim that the server still has says nothing against a proved death.
        let dead = instance(Some(InstanceState::Ready), true, Wanted::Run, Process::Dead { exit: Some(exit) });
        let (state, reason) = dead.state();
        assert_eq!((state, reason.unwrap().text.as_str()), (InstanceState::Failed, "used 312 MB of 256 MB"));
        assert!(!dead.is_ready());
    }

    #[test]
    fn only_what_is_dead_or_never_lived_is_gone() {
        let gone = [Process::Unknown, Process::Absent, ALIVE, Process::Dead { exit: None }].map(|it| it.is_gone());
        assert_eq!(gone, [false, true, false, true]);
    }
}
