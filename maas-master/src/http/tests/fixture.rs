//! A master's snapshot made by hand, a launcher that knows only where logs lie, and the interface over them.

use crate::clock::Moment;
use crate::desired::{Desired, History, Version};
use crate::events::{EventLog, event_id};
use crate::http::{App, LogAccess, Setup, router};
use crate::launcher::{Ask, Launcher, LogFiles, Report};
use crate::observed::{Instance, Observed, Process};
use crate::plan::{Plan, Verdict};
use crate::policy::Policy;
use crate::view::{Counts, Handle, QueueView, Role, View};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use maas_client::api::{Amounts, CapacityView, NodeView, PlanVerdict, WaitingView};
use maas_client::config::Roots;
use maas_client::event::Event;
use maas_client::launch::Exit;
use maas_client::model::ModelId;
use maas_client::reason::{InstanceState, Reason, ReasonCode, VersionState};
use maas_client::registry::{Endpoint, default_functions};
use maas_client::request::Resources;
use maas_client::state::{self, CallSettings, Claim, Ended, InstanceRecord, Leader, Spec, Wanted};
use maas_client::tree::SharedTree;
use maas_client::tree::memory::MemoryServer;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tower::ServiceExt;

pub(super) fn time() -> Timestamp {
    "2026-03-01T10:00:00.5Z".parse().unwrap()
}

pub(super) fn model(name: &str, version: &str) -> ModelId {
    ModelId { name: name.parse().unwrap(), version: version.parse().unwrap() }
}

pub(super) fn leader() -> Leader {
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

fn version(count: u32, ended: Vec<Ended>) -> Arc<Version> {
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
    };
    let history = History { restarts: ended.len() as u64, ended, ..History::default() };
    Arc::new(Version { desired, node_version: 0, spec: Spec::default(), spec_version: None, history })
}

fn instance(id: &str, of: &ModelId, ready: bool) -> Arc<Instance> {
    let record = InstanceRecord {
        model: of.clone(),
        wanted: Wanted::Run,
        reason: None,
        epoch: 3,
        resources: Resources::default(),
        digest: "sha256:aa".into(),
        host: "node1".into(),
        container: None,
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
pub(super) fn leading() -> View {
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
            instances: [
                ("3-2-aaaa".to_string(), instance("3-2-aaaa", &dga, true)),
                ("3-3-bbbb".to_string(), instance("3-3-bbbb", &dga, false)),
            ]
            .into(),
            payloads: BTreeMap::new(),
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

pub(super) fn event(sequence: u64, kind: &str, of: Option<&ModelId>) -> Event {
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

/// Knows only where logs lie.
struct Logs {
    directory: PathBuf,
    changes: watch::Sender<u64>,
}

#[async_trait]
impl Launcher for Logs {
    fn kind(&self) -> &'static str {
        "local"
    }
    fn place(&self) -> (String, Option<String>) {
        ("node1".into(), None)
    }
    async fn ensure(&self, _: Vec<Ask>) {}
    async fn kill(&self, _: &str, _: &InstanceRecord) {}
    async fn observe(&self, _: &BTreeMap<String, InstanceRecord>) -> Report {
        Report::default()
    }
    async fn forget(&self, _: &str, _: &ModelId, _: Option<&Exit>) {}
    fn logs(&self, id: &str) -> Option<LogFiles> {
        let directory = self.directory.join(id);
        Some(LogFiles { stdout: directory.join("stdout"), stderr: directory.join("stderr") })
    }
    fn changed(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// The interface over a snapshot that can be replaced.
pub(super) struct Site {
    pub(super) router: Router,
    pub(super) view: watch::Sender<Arc<View>>,
    pub(super) events: Arc<EventLog>,
    pub(super) tree: SharedTree,
    pub(super) logs: tempfile::TempDir,
}

impl Site {
    pub(super) fn over(view: View) -> Site {
        Site::with_access(view, LogAccess::Token("s3cret".into()))
    }

    pub(super) fn with_access(view: View, access: LogAccess) -> Site {
        let logs = tempfile::tempdir().unwrap();
        let launcher = Logs { directory: logs.path().to_path_buf(), changes: watch::channel(0).0 };
        let (view, seen) = watch::channel(Arc::new(view));
        let handle =
            Handle { view: seen, launcher: Arc::new(launcher), stop_models: Arc::new(watch::channel(false).0) };
        let tree: SharedTree = MemoryServer::new().session();
        let events = Arc::new(EventLog::default());
        let app = App::new(Setup {
            handle,
            events: events.clone(),
            tree: tree.clone(),
            roots: Roots::default(),
            zookeeper: "zk:2181".into(),
            logs: access,
            policy: Policy::default(),
        });
        Site { router: router(app), view, events, tree, logs }
    }

    pub(super) async fn send(&self, mut request: Request<Body>, peer: &str) -> Answer {
        let peer: SocketAddr = format!("{peer}:5000").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let headers = response.headers().clone();
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_string());
        let (content_type, epoch, policy) =
            (header("content-type").unwrap_or_default(), header("maas-epoch"), header("content-security-policy"));
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, content_type, epoch, policy, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap(), "127.0.0.1").await
    }
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: String,
    pub(super) epoch: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> serde_json::Value {
        assert_eq!((self.status, self.content_type.as_str()), (StatusCode::OK, "application/json"), "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    /// The problem's status and code.
    pub(super) fn problem(&self) -> (u16, String) {
        assert_eq!(self.content_type, "application/problem+json", "{}", self.text);
        let problem: maas_client::api::Problem = serde_json::from_str(&self.text).unwrap();
        assert_eq!(problem.status, self.status.as_u16());
        assert_eq!(problem.kind, format!("urn:maas:{}", problem.code));
        assert!(problem.code.parse::<maas_cli::ErrorCode>().is_ok(), "{}", problem.code);
        (problem.status, problem.code)
    }
}
