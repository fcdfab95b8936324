//! Snapshots of a master made by hand, for the tests of what renders them.

use crate::clock::Moment;
use crate::desired::{Desired, History, Version};
use crate::events::event_id;
use crate::observed::{Instance, Observed, Process};
use crate::plan::{Plan, Verdict};
use crate::view::{Counts, QueueView, Role, View};
use jiff::Timestamp;
use maas_client::api::{Amounts, CapacityView, NodeView, PlanVerdict, WaitingView};
use maas_client::event::Event;
use maas_client::model::ModelId;
use maas_client::reason::{InstanceState, Reason, ReasonCode, VersionState};
use maas_client::registry::{Endpoint, default_functions};
use maas_client::request::Resources;
use maas_client::state::{self, CallSettings, Claim, Ended, InstanceRecord, Leader, Spec, Wanted};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn time() -> Timestamp {
    "2026-03-01T10:00:00.5Z".parse().unwrap()
}

pub(crate) fn model(name: &str, version: &str) -> ModelId {
    ModelId { name: name.parse().unwrap(), version: version.parse().unwrap() }
}

pub(crate) fn leader() -> Leader {
    Leader {
        epoch: 3,
        host: "node1".into(),
        pid: 7,
        http: None,
        http_local: Some("http://127.0.0.1:8000".into()),
        version: "0.1.0".into(),
        since: time(),
        application: None,
        attempt: None,
    }
}

/// A version whose payload is known, with this many wanted.
pub(crate) fn version(count: u32, ended: Vec<Ended>) -> Arc<Version> {
    let desired = state::Desired {
        count,
        digest: Some("sha256:aa".into()),
        path: "/models/dga/1.0".into(),
        resources: Resources::default(),
        call: CallSettings::default(),
        generation: 1,
        published: time(),
        by: Some("alice@node1".into()),
        request: "qn-0000000001-5".into(),
        purge: false,
        purged: false,
    };
    let history = History { restarts: ended.len() as u64, ended, ..History::default() };
    Arc::new(Version { desired, node_version: 0, spec: Spec::default(), spec_version: None, history })
}

/// An instance that runs, is claimed, and is ready or about to be.
pub(crate) fn instance(id: &str, of: &ModelId, ready: bool) -> Arc<Instance> {
    let record = InstanceRecord {
        model: of.clone(),
        wanted: Wanted::Run,
        reason: None,
        epoch: 3,
        resources: Resources::default(),
        digest: "sha256:aa".into(),
        host: "node1".into(),
        container: None,
        local: None,
        created: time(),
        stop_bound_s: 9,
    };
    let state = if ready { InstanceState::Ready } else { InstanceState::Starting };
    let url = ready.then(|| "http://node1:1234".to_string());
    let claim = Claim {
        state,
        reason: None,
        pid: 99,
        host: "node1".into(),
        url: url.clone(),
        started: Some(time()),
        memory_used_mb: Some(40),
    };
    Arc::new(Instance {
        id: id.into(),
        record,
        record_version: 0,
        claim: Some(claim),
        registered: url,
        process: Process::Alive { pid: Some(99) },
        seen: Moment::default(),
        unclaimed_since: None,
        was_claimed: true,
        stopping_since: None,
        killed_at: None,
    })
}

fn endpoint(id: &str, of: &ModelId) -> Arc<Endpoint> {
    Arc::new(Endpoint {
        name: of.name.clone(),
        version: of.version.clone(),
        id: id.into(),
        url: "http://node1:1234".into(),
        functions: Arc::new(default_functions()),
        registered_ms: time().as_millisecond(),
        czxid: 1,
    })
}

/// dga 1.0 with one of two ready and one that failed, scan 2.0 that waits for room, and old 0.9 of another program.
pub(crate) fn leading() -> View {
    let (dga, scan, old) = (model("dga", "1.0"), model("scan", "2.0"), model("old", "0.9"));
    let failed = Ended {
        id: "3-1-dead".into(),
        state: InstanceState::Failed,
        reason: Some(Reason::new(ReasonCode::ScriptExited, "the script ended by itself")),
        host: "node1".into(),
        exit_code: Some(3),
        started: time(),
        ended: time(),
    };
    let waits = Reason::new(ReasonCode::WaitingCapacity, "needs 8192 MB; most free 488 MB on node1");
    let verdict = |state, reason: Option<Reason>, ready, missing, fits| Verdict { state, reason, ready, missing, fits };
    let room = |memory_mb, vcores| Amounts { memory_mb, vcores, gpus: 0 };
    View {
        role: Role::Leading(leader()),
        connected: true,
        since: time(),
        at: Moment::default(),
        desired: Arc::new(Desired {
            versions: [(dga.clone(), version(2, vec![failed])), (scan.clone(), version(1, vec![]))].into(),
            stop_all: false,
        }),
        observed: Arc::new(Observed {
            finds_places: false,
            instances: [
                ("3-2-aaaa".to_string(), instance("3-2-aaaa", &dga, true)),
                ("3-3-bbbb".to_string(), instance("3-3-bbbb", &dga, false)),
            ]
            .into(),
            payloads: BTreeMap::new(),
            purges: BTreeMap::new(),
            nodes: vec![],
            endpoints: [
                ((dga.name.clone(), "3-2-aaaa".to_string()), endpoint("3-2-aaaa", &dga)),
                ((old.name.clone(), "2".to_string()), endpoint("2", &old)),
            ]
            .into(),
        }),
        plan: Arc::new(Plan {
            steps: vec![],
            verdicts: [
                (dga, verdict(VersionState::Degraded, None, 1, 0, PlanVerdict::Now)),
                (scan.clone(), verdict(VersionState::Starting, Some(waits.clone()), 0, 1, PlanVerdict::Waits)),
            ]
            .into(),
            capacity: Some(CapacityView {
                nodes: vec![NodeView {
                    host: "node1".into(),
                    total: room(1512, 4),
                    used: room(1024, 2),
                    free: room(488, 2),
                    shares_vcores: false,
                }],
                waiting: vec![WaitingView { name: scan.name, version: scan.version, count: 1, reason: waits }],
            }),
            wake_at: None,
        }),
        queue: QueueView { waiting: 2, oldest_ms: Some(time().as_millisecond()) },
        pass: Duration::from_millis(2),
        passes: 5,
        counts: Counts { accepted: 4, refused: 1, duplicate: 0, rejected: 2, nulls: 1, foreign: 0 },
    }
}

pub(crate) fn event(sequence: u64, kind: &str, of: Option<&ModelId>) -> Event {
    Event {
        id: event_id(3, sequence),
        time: time(),
        kind: kind.into(),
        name: of.map(|model| model.name.clone()),
        version: of.map(|model| model.version.clone()),
        instance: None,
        host: None,
        reason_code: of.map(|_| ReasonCode::ScriptExited),
        reason: String::new(),
        exit_code: None,
        request: None,
        by: None,
    }
}
