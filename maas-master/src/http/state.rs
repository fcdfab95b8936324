//! What all handlers share, and where they get their answers from: the leader's snapshot, else ZooKeeper.

use super::access::{is_meant_for, is_this_host};
use super::error::Refusal;
use super::render;
use crate::clock::wall_time;
use crate::events::EventLog;
use crate::status::{self, Seen};
use crate::view::{Handle, Role, View};
use axum::http::StatusCode;
use maas_cli::ErrorCode;
use maas_client::api::{ModelView, ServiceView};
use maas_client::config::Roots;
use maas_client::state::{Leader, RequestRecord};
use maas_client::tree::{self, SharedTree};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

/// How old an answer from ZooKeeper may be that a standby gives again.
const STANDBY_CACHE: std::time::Duration = std::time::Duration::from_secs(1);

/// How long ZooKeeper may take for one answer: shorter than callers wait for the whole.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Who gets logs.
#[derive(Clone)]
pub enum LogAccess {
    /// Everybody who reaches this address.
    Open,
    /// This host, and others with this bearer token.
    Token(Arc<str>),
}

impl std::fmt::Debug for LogAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            LogAccess::Open => "Open",
            LogAccess::Token(_) => "Token(…)",
        })
    }
}

/// What the HTTP side is made of.
pub struct Setup {
    /// The running master.
    pub handle: Handle,
    /// What happened.
    pub events: Arc<EventLog>,
    /// ZooKeeper.
    pub tree: SharedTree,
    /// Where queue, registry and state live.
    pub roots: Roots,
    /// ZooKeeper's connect string, for display.
    pub zookeeper: String,
    /// Who gets logs.
    pub logs: LogAccess,
    /// Names this machine is asked by: its own, and the published one.
    pub names: Vec<String>,
    /// The planner's knobs, for hypothetical requests.
    pub policy: crate::policy::Policy,
}

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    setup: Setup,
    standby: AsyncMutex<Option<(Instant, Arc<Seen>)>>,
    /// Outcomes never change once written, so each is read once.
    requests: Mutex<BTreeMap<String, Arc<RequestRecord>>>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

impl App {
    /// Makes the shared state.
    pub fn new(setup: Setup) -> App {
        App { inner: Arc::new(Inner { setup, standby: AsyncMutex::default(), requests: Mutex::default() }) }
    }

    pub(super) fn view(&self) -> Arc<View> {
        self.inner.setup.handle.view()
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.inner.setup.handle
    }

    pub(super) fn log(&self) -> &EventLog {
        &self.inner.setup.events
    }

    pub(super) fn tree(&self) -> &SharedTree {
        &self.inner.setup.tree
    }

    pub(super) fn roots(&self) -> &Roots {
        &self.inner.setup.roots
    }

    pub(super) fn policy(&self) -> &crate::policy::Policy {
        &self.inner.setup.policy
    }

    pub(super) fn request_cache(&self) -> &Mutex<BTreeMap<String, Arc<RequestRecord>>> {
        &self.inner.requests
    }

    /// The epoch for the header of every answer; 0 while none is known.
    pub(super) fn epoch(&self) -> i32 {
        match &self.view().role {
            Role::Leading(leader) | Role::Standby { leader: Some(leader) } => leader.epoch,
            Role::Standby { leader: None } | Role::Connecting => 0,
        }
    }

    /// The snapshot, when this master leads; else a refusal that says who does.
    pub(super) fn leading(&self) -> Result<Arc<View>, Refusal> {
        let view = self.view();
        match &view.role {
            Role::Leading(_) => Ok(view),
            Role::Standby { leader: Some(leader) } => {
                Err(Refusal::new(ErrorCode::AnotherLeads, format!("this master stands by; ask {}", address_of(leader))))
            }
            Role::Standby { leader: None } => Err(Refusal::new(ErrorCode::NoMaster, "no master leads at the moment")),
            Role::Connecting => Err(not_connected(&self.inner.setup.zookeeper)),
        }
    }

    /// All versions: the leader's own knowledge, else what ZooKeeper says.
    pub(super) async fn models(&self) -> Result<Vec<ModelView>, Refusal> {
        let view = self.view();
        if view.leading().is_some() {
            return Ok(render::models_of(&view));
        }
        Ok(self.seen().await?.models.clone())
    }

    /// The service as a whole.
    pub(super) async fn service(&self) -> Result<ServiceView, Refusal> {
        let view = self.view();
        if view.leading().is_none() {
            return Ok(self.seen().await?.service.clone());
        }
        let setup = &self.inner.setup;
        let mut service = render::service_of(&view, &setup.zookeeper, wall_time(), setup.events.journal());
        // Shown when they can be had: the rest is true without ZooKeeper.
        if let Ok(standbys) = self.ask(status::standbys(&setup.tree, &setup.roots)).await {
            service.standbys = standbys;
        }
        if let Ok(rejected) = self.ask(status::rejected_24h(&setup.tree, &setup.roots, wall_time())).await {
            service.rejected_24h = rejected;
        }
        Ok(service)
    }

    /// Asks ZooKeeper, for as long as a caller waits: not at all while there is no connection.
    pub(super) async fn ask<T>(&self, work: impl Future<Output = Result<T, tree::Error>>) -> Result<T, tree::Error> {
        let setup = &self.inner.setup;
        let unreachable = |why: &str| tree::Error::Unreachable { detail: format!("{}: {why}", setup.zookeeper) };
        if setup.tree.session().borrow().connected().is_none() {
            return Err(unreachable("not connected"));
        }
        tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(unreachable("no answer")))
    }

    /// What ZooKeeper says, at most a second old.
    pub(super) async fn seen(&self) -> Result<Arc<Seen>, Refusal> {
        let setup = &self.inner.setup;
        if matches!(self.view().role, Role::Connecting) && setup.tree.session().borrow().connected().is_none() {
            return Err(not_connected(&setup.zookeeper));
        }
        let mut cached = self.inner.standby.lock().await;
        if let Some((at, seen)) = cached.as_ref()
            && at.elapsed() < STANDBY_CACHE
        {
            return Ok(seen.clone());
        }
        let gathered = self.ask(status::gather(&setup.tree, &setup.roots, &setup.zookeeper, wall_time())).await?;
        let seen = Arc::new(gathered);
        *cached = Some((Instant::now(), seen.clone()));
        Ok(seen)
    }

    /// Whether this caller, who asked for these hosts, may read logs.
    pub(super) fn may_read_logs(
        &self,
        peer: Option<IpAddr>,
        hosts: &[&str],
        authorization: Option<&str>,
    ) -> Result<(), Refusal> {
        let LogAccess::Token(token) = &self.inner.setup.logs else { return Ok(()) };
        let stranger = hosts.iter().find(|host| !is_meant_for(host, &self.inner.setup.names));
        let is_here = peer.is_some_and(is_this_host);
        if is_here && stranger.is_none() {
            return Ok(());
        }
        let given = authorization.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        match given {
            Some(given) if same_secret(given.as_bytes(), token.as_bytes()) => Ok(()),
            Some(_) => Err(refused_logs("this bearer token is not the master's")),
            None => match stranger.filter(|_| is_here) {
                Some(host) => {
                    let shown: String = host.chars().take(80).collect();
                    let detail = format!(
                        "the Host header says {shown:?}, which is no name of this machine; ask for localhost, or give the bearer token"
                    );
                    Err(Refusal::new(ErrorCode::NotPermitted, detail).with_status(StatusCode::FORBIDDEN))
                }
                None => Err(refused_logs("from another host logs need a bearer token")),
            },
        }
    }
}

fn refused_logs(why: &str) -> Refusal {
    let detail =
        format!("{why}; it stands in http-token of the master's state directory, or start it with --http-open");
    Refusal::new(ErrorCode::NotPermitted, detail)
}

fn not_connected(zookeeper: &str) -> Refusal {
    Refusal::new(ErrorCode::ZookeeperUnreachable, format!("ZooKeeper {zookeeper} was not reached yet"))
}

fn address_of(leader: &Leader) -> String {
    match &leader.http {
        Some(http) => http.clone(),
        None => format!("{} on {}", leader.http_local.as_deref().unwrap_or("its HTTP"), leader.host),
    }
}

/// Compares without telling by the time it takes how much was right.
fn same_secret(given: &[u8], wanted: &[u8]) -> bool {
    let difference = given.iter().zip(wanted).fold(0u8, |difference, (a, b)| difference | (a ^ b));
    given.len() == wanted.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_equal_only_when_they_are() {
        assert!(same_secret(b"abc", b"abc"));
        assert!(!same_secret(b"abd", b"abc") && !same_secret(b"ab", b"abc") && !same_secret(b"", b"abc"));
    }
}
