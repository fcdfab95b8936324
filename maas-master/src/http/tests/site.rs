//! The interface over a snapshot that can be replaced, with a launcher that knows only where logs lie.

use crate::events::EventLog;
use crate::http::{App, LogAccess, Setup, router};
use crate::launcher::{Ask, Launcher, LogFiles, Report};
use crate::policy::Policy;
use crate::view::{Handle, View};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use maas_client::config::Roots;
use maas_client::state::InstanceRecord;
use maas_client::tree::SharedTree;
use maas_client::tree::memory::{MemoryServer, MemoryTree};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;
use tower::ServiceExt;

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
    fn home(&self) -> Option<maas_client::state::LocalHome> {
        None
    }
    async fn ensure(&self, _: Vec<Ask>) {}
    async fn kill(&self, _: &str, _: &InstanceRecord) {}
    async fn observe(&self, _: &BTreeMap<String, Arc<crate::observed::Instance>>) -> Report {
        Report::default()
    }
    async fn forget(&self, _: &str, _: &InstanceRecord, _: &maas_client::state::Ended) {}
    fn logs(&self, id: &str, _: Option<&InstanceRecord>) -> Option<LogFiles> {
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
    pub(super) session: Arc<MemoryTree>,
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
        let session = MemoryServer::new().session();
        let tree: SharedTree = session.clone();
        let events = Arc::new(EventLog::default());
        let app = App::new(Setup {
            handle,
            events: events.clone(),
            tree: tree.clone(),
            roots: Roots::default(),
            zookeeper: "zk:2181".into(),
            logs: access,
            names: vec!["node7.example.com".into()],
            policy: Policy::default(),
        });
        Site { router: router(app), view, events, tree, session, logs }
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
