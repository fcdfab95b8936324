//! Where an instance and a version stand, by what ZooKeeper says of them. Pure.
//!
//! One answer for the planner, the master's HTTP, standbys and `maas_deploy`, so that none contradicts another. What only
//! a launcher knows (that a process is dead) its master puts on top.

use crate::api::InstanceView;
use crate::model::ModelId;
use crate::reason::{InstanceState, Reason, ReasonCode, VersionState};
use crate::registry::Endpoint;
use crate::state::{Claim, Ended, InstanceRecord, Wanted};
use jiff::Timestamp;

/// Where an instance stands, and why when that is not simply so. `was_claimed`: a runner has claimed it at some time.
pub fn of_instance(
    record: &InstanceRecord,
    claim: Option<&Claim>,
    is_registered: bool,
    was_claimed: bool,
) -> (InstanceState, Option<Reason>) {
    let unregistered = |text: &str| (InstanceState::Unready, Some(Reason::new(ReasonCode::Unregistered, text)));
    match (claim, record.wanted) {
        (Some(claim), _) if claim.state.is_ended() => (claim.state, claim.reason.clone()),
        (_, Wanted::Stop) => {
            let said = || claim.and_then(|claim| claim.reason.clone());
            (InstanceState::Draining, record.reason.clone().or_else(said))
        }
        (Some(claim), Wanted::Run) => match claim.state {
            InstanceState::Ready if !is_registered => unregistered("its registration is gone"),
            // Claim and registration are read one after the other. Whoever is registered has been through its start,
            // whatever its claim said a moment before.
            InstanceState::Localizing | InstanceState::Starting if is_registered => (InstanceState::Ready, None),
            state => (state, claim.reason.clone()),
        },
        (None, Wanted::Run) if was_claimed || is_registered => unregistered("its runner is out of sight"),
        (None, Wanted::Run) => (record.unclaimed_state(), None),
    }
}

/// Where a version stands with so many wanted, so many of them ready, and whether it is in a crash loop.
pub fn of_version(wanted: u32, ready: u32, is_crash_loop: bool) -> VersionState {
    match ready {
        _ if wanted == 0 => VersionState::Stopping,
        _ if ready >= wanted => VersionState::Ready,
        0 if is_crash_loop => VersionState::Failed,
        0 => VersionState::Starting,
        _ => VersionState::Degraded,
    }
}

/// An instance that has ended, as HTTP shows it.
pub fn ended_view(model: &ModelId, ended: &Ended, restarts: u64, memory_mb: u64) -> InstanceView {
    InstanceView {
        id: ended.id.clone(),
        name: model.name.clone(),
        version: model.version.clone(),
        state: ended.state,
        url: None,
        host: ended.host.clone(),
        pid: None,
        container: None,
        started: Some(ended.started),
        restarts,
        memory_mb,
        memory_used_mb: None,
        reason: ended.reason.clone(),
        exit_code: ended.exit_code,
    }
}

/// A registration without a record of ours, as HTTP shows it: another program's, or one whose runner lost its record.
pub fn stranger_view(endpoint: &Endpoint) -> InstanceView {
    let host = url::Url::parse(&endpoint.url).ok().and_then(|url| url.host_str().map(str::to_string));
    InstanceView {
        id: endpoint.id.to_string(),
        name: endpoint.name.clone(),
        version: endpoint.version.clone(),
        state: InstanceState::Ready,
        url: Some(endpoint.url.to_string()),
        host: host.unwrap_or_default(),
        pid: None,
        container: None,
        started: Timestamp::from_millisecond(endpoint.registered_ms).ok(),
        restarts: 0,
        memory_mb: 0,
        memory_used_mb: None,
        reason: None,
        exit_code: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Resources;

    fn record(wanted: Wanted) -> InstanceRecord {
        InstanceRecord {
            model: ModelId::new("dga", "1.0").unwrap(),
            wanted,
            reason: (wanted == Wanted::Stop).then(|| Reason::new(ReasonCode::Removed, "1 wanted by request 7")),
            epoch: 1,
            resources: Resources::default(),
            digest: "sha256:00".into(),
            host: "node7".into(),
            container: None,
            local: None,
            created: Timestamp::UNIX_EPOCH,
            stop_bound_s: 10,
        }
    }

    fn claim(state: InstanceState) -> Claim {
        Claim { state, reason: None, pid: 7, host: "node7".into(), url: None, started: None, memory_used_mb: None }
    }

    fn running(claimed: Option<InstanceState>, is_registered: bool) -> (InstanceState, Option<ReasonCode>) {
        let claim = claimed.map(claim);
        let (state, reason) = of_instance(&record(Wanted::Run), claim.as_ref(), is_registered, claim.is_some());
        (state, reason.map(|reason| reason.code))
    }

    #[test]
    fn only_what_is_claimed_wanted_and_registered_is_ready() {
        use InstanceState::{Ready, Requested, Starting, Unready};
        assert_eq!(running(Some(Ready), true), (Ready, None));
        assert_eq!(running(Some(Ready), false), (Unready, Some(ReasonCode::Unregistered)));
        assert_eq!(running(Some(Unready), true), (Unready, None), "on its way out, its registration lingers");
        assert_eq!(running(Some(Starting), false), (Starting, None));
        assert_eq!(running(Some(Starting), true), (Ready, None), "its claim was read before it registered");
        assert_eq!(running(None, false), (Requested, None));
        assert_eq!(running(None, true), (Unready, Some(ReasonCode::Unregistered)));
    }

    #[test]
    fn what_is_told_to_stop_drains_until_its_own_last_word() {
        for claimed in [None, Some(InstanceState::Ready), Some(InstanceState::Unready)] {
            let claim = claimed.map(claim);
            let (state, reason) = of_instance(&record(Wanted::Stop), claim.as_ref(), true, true);
            assert_eq!((state, reason.unwrap().code), (InstanceState::Draining, ReasonCode::Removed));
        }
        let last_word = claim(InstanceState::Stopped);
        assert_eq!(of_instance(&record(Wanted::Stop), Some(&last_word), false, true).0, InstanceState::Stopped);
    }

    #[test]
    fn a_runner_that_went_leaves_its_instance_unready() {
        let (state, reason) = of_instance(&record(Wanted::Run), None, false, true);
        assert_eq!((state, reason.unwrap().code), (InstanceState::Unready, ReasonCode::Unregistered));
    }

    #[test]
    fn a_version_is_as_many_as_are_ready_of_it() {
        let states = [(0, 2), (2, 2), (2, 1), (2, 0)].map(|(wanted, ready)| of_version(wanted, ready, false));
        use VersionState::{Degraded, Failed, Ready, Starting, Stopping};
        assert_eq!(states, [Stopping, Ready, Degraded, Starting]);
        assert_eq!((of_version(2, 0, true), of_version(2, 1, true)), (Failed, Degraded));
    }
}
