//! The master as one service: stands for election, and while it leads runs passes of observe → plan → execute.
//!
//! Losing the lead or the session drops everything that was known and stands by again, in the same process.

mod stop_node;
mod term;

use crate::clock::{Clock, wall_time};
use crate::failpoint::{Failpoints, Reached};
use crate::launcher::SharedLauncher;
use crate::leader::{self, Attempt, Format, Term};
use crate::payload::Payloads;
use crate::policy::Policy;
use crate::view::{Counts, Handle, Role, View};
use maas_client::config::Roots;
use maas_client::event::Event;
use maas_client::state::{FORMAT, Leader};
use maas_client::state_store;
use maas_client::tree::{self, SessionState, SharedTree};
use std::sync::Arc;
use std::time::Duration;
use stop_node::StopNode;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How long a failed attempt waits before the next.
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// All a master is made of.
pub struct Setup {
    /// ZooKeeper.
    pub tree: SharedTree,
    /// Where queue, registry and state live.
    pub roots: Roots,
    /// Where instances run.
    pub launcher: SharedLauncher,
    /// Where their payloads come from.
    pub payloads: Payloads,
    /// What the leader's node will say.
    pub identity: Identity,
    /// Whether others' runners may register (`--metron-runners`).
    pub world_registers: bool,
    /// The knobs.
    pub policy: Policy,
    /// Where tests make it fail.
    pub failpoints: Failpoints,
}

/// What a master says of itself in the leader's node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The host it runs on.
    pub host: String,
    /// Its HTTP address as others reach it; `None` when it listens on loopback only.
    pub http: Option<String>,
    /// Its HTTP address on its own host.
    pub http_local: Option<String>,
    /// URL of the model store, for the `cluster` node.
    pub store: String,
    /// The cluster's application that it is an attempt of.
    pub attempt: Option<ApplicationAttempt>,
}

/// One of the attempts of a cluster's application, of which only the last is to lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationAttempt {
    /// The application's id.
    pub application: String,
    /// Which attempt.
    pub number: u32,
}

/// How a master ended, when it was no failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Asked from within this process; models run on (or were stopped first, when that was asked).
    Shutdown,
    /// `<state>/stop` was there.
    StopNode,
}

/// Why a master ends by itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state tree has a newer format than this program writes.
    #[error("the state in ZooKeeper has format {found}, this program writes {known}; use the newer program")]
    NewerFormat {
        /// What the tree has.
        found: u32,
        /// What this program knows.
        known: u32,
    },
    /// The format of the state tree can't be told.
    #[error("node {path} does not say which format the state has; delete it if no newer program wrote it")]
    UnreadableFormat {
        /// The node.
        path: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// ZooKeeper refuses in a way that does not pass by itself.
    #[error("ZooKeeper refused")]
    Tree(#[source] tree::Error),
    /// A test's failpoint.
    #[error(transparent)]
    Failpoint(#[from] Reached),
}

/// Events as they happen, in order; the status writer persists them. Sent only while leading, with the epoch in their id.
pub type Outbox = mpsc::UnboundedReceiver<Event>;

/// The master. [`Master::run`] it once.
pub struct Master {
    setup: Setup,
    clock: Clock,
    view: watch::Sender<Arc<View>>,
    events: mpsc::UnboundedSender<Event>,
    stop_models: watch::Receiver<bool>,
    counts: Counts,
}

/// How a term, or a time of standing by, ended.
enum Turn {
    /// Stand for election (again).
    Again,
    /// The master ends.
    End(End),
}

impl Master {
    /// A master, the handle others look through, and its events.
    pub fn new(setup: Setup) -> (Master, Handle, Outbox) {
        let clock = Clock::start();
        let (view, view_seen) = watch::channel(Arc::new(View::empty(clock.moment())));
        let (events, outbox) = mpsc::unbounded_channel();
        let (stop_sender, stop_models) = watch::channel(false);
        let handle = Handle { view: view_seen, launcher: setup.launcher.clone(), stop_models: Arc::new(stop_sender) };
        (Master { setup, clock, view, events, stop_models, counts: Counts::default() }, handle, outbox)
    }

    /// Stands for election and leads, again and again, until `shutdown` or the stop node.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<End, Error> {
        let mut stop = StopNode::open(self.setup.tree.clone(), &self.setup.roots);
        loop {
            let view = self.view.clone();
            let idle_at_the_end = async {
                shutdown.cancelled().await;
                // A leader ends by itself, with the lead given back.
                if view.borrow().leading().is_some() {
                    std::future::pending::<()>().await;
                }
            };
            let turn = tokio::select! {
                turn = self.turn(&mut stop, &shutdown) => turn,
                () = idle_at_the_end => Ok(Turn::End(End::Shutdown)),
            };
            match turn {
                Ok(Turn::End(end)) => return Ok(end),
                Ok(Turn::Again) => {}
                Err(Error::Tree(error)) if error.is_retryable() => {
                    tracing::debug!(%error, "not connected");
                    self.show_role(Role::Connecting, false);
                    tokio::select! {
                        () = self.connected() => {}
                        () = shutdown.cancelled() => return Ok(End::Shutdown),
                    }
                    tokio::time::sleep(TRY_AGAIN).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// One election and what follows from it.
    async fn turn(&mut self, stop: &mut StopNode, shutdown: &CancellationToken) -> Result<Turn, Error> {
        let (tree, roots) = (self.setup.tree.clone(), self.setup.roots.clone());
        if tree.session().borrow().connected().is_none() {
            return Err(Error::Tree(tree::Error::ConnectionLoss));
        }
        match leader::format_of(&tree, &roots).await.map_err(Error::Tree)? {
            Format::Known => {}
            Format::Newer(found) => return Err(Error::NewerFormat { found, known: FORMAT }),
            Format::Unreadable(source) => return Err(Error::UnreadableFormat { path: roots.cluster(), source }),
        }
        state_store::ensure_roots(&tree, &roots, self.setup.world_registers).await.map_err(Error::Tree)?;
        stop.look().await.map_err(Error::Tree)?;
        // The leader's node goes together with the order to stop: who notices the one must not overlook the other.
        if stop.was_asked().await.map_err(Error::Tree)? {
            return Ok(Turn::End(End::StopNode));
        }
        match leader::attempt(&tree, &roots, self.leader_node()).await.map_err(Error::Tree)? {
            Attempt::Won(term) => {
                tracing::info!(epoch = term.epoch, "leading");
                self.setup.failpoints.reach("after-election")?;
                self.lead(term, stop, shutdown).await
            }
            Attempt::Lost { leader } => self.stand_by(leader, stop, shutdown).await,
        }
    }

    async fn stand_by(
        &mut self,
        leader: Option<Leader>,
        stop: &mut StopNode,
        shutdown: &CancellationToken,
    ) -> Result<Turn, Error> {
        let tree = self.setup.tree.clone();
        let mut session = tree.session();
        let (node, changed) = tree.get_and_watch(&self.setup.roots.leader()).await.map_err(Error::Tree)?;
        let Some(node) = node else { return Ok(Turn::Again) };
        let leader = serde_json::from_slice(&node.data).ok().or(leader);
        self.show_role(Role::Standby { leader }, true);
        tokio::select! {
            () = changed.changed() => Ok(Turn::Again),
            asked = stop.asked() => match asked {
                Ok(true) => Ok(Turn::End(End::StopNode)),
                Ok(false) => Ok(Turn::Again),
                Err(error) => Err(Error::Tree(error)),
            },
            _ = session.changed() => Ok(Turn::Again),
            () = shutdown.cancelled() => Ok(Turn::End(End::Shutdown)),
        }
    }

    fn leader_node(&self) -> Leader {
        let identity = &self.setup.identity;
        Leader {
            epoch: 0,
            host: identity.host.clone(),
            pid: std::process::id(),
            http: identity.http.clone(),
            http_local: identity.http_local.clone(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            since: wall_time(),
            application: identity.attempt.as_ref().map(|attempt| attempt.application.clone()),
            attempt: identity.attempt.as_ref().map(|attempt| attempt.number),
        }
    }

    async fn connected(&self) {
        let mut session = self.setup.tree.session();
        // A closed tree never connects again; whoever closed it ends the master too.
        let _ = session.wait_for(|state| matches!(state, SessionState::Connected { .. })).await;
    }

    /// Shows a role without anything else that was known before: it may not be true any more.
    fn show_role(&self, role: Role, connected: bool) {
        let before = self.view.borrow().clone();
        if before.role == role && before.connected == connected {
            return;
        }
        let view = View { role, connected, counts: self.counts, ..View::empty(self.clock.moment()) };
        self.view.send_replace(Arc::new(view));
    }

    async fn lead(&mut self, term: Term, stop: &mut StopNode, shutdown: &CancellationToken) -> Result<Turn, Error> {
        let outcome = term::Leading::begin(self, term, stop, shutdown).await;
        self.setup.payloads.forget_failures();
        outcome
    }
}
