//! The master as one service: stands for election, and while it leads runs passes of observe → plan → execute.

use crate::clock::Clock;
use crate::failpoint::Failpoints;
use crate::launcher::SharedLauncher;
use crate::policy::Policy;
use crate::view::{Handle, View};
use maas_client::config::Roots;
use maas_client::event::Event;
use maas_client::tree::{self, SharedTree};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// All a master is made of.
pub struct Setup {
    /// ZooKeeper.
    pub tree: SharedTree,
    /// Where queue, registry and state live.
    pub roots: Roots,
    /// Where instances run.
    pub launcher: SharedLauncher,
    /// What the leader's node will say.
    pub identity: Identity,
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
    /// ZooKeeper refuses in a way that does not pass by itself.
    #[error("ZooKeeper refused")]
    Tree(#[source] tree::Error),
    /// A test's failpoint.
    #[error(transparent)]
    Failpoint(#[from] crate::failpoint::Reached),
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
}

impl Master {
    /// A master, the handle others look through, and its events.
    pub fn new(setup: Setup) -> (Master, Handle, Outbox) {
        let clock = Clock::start();
        let (view, view_seen) = watch::channel(Arc::new(View::empty(clock.moment())));
        let (events, outbox) = mpsc::unbounded_channel();
        let (stop_sender, stop_models) = watch::channel(false);
        let handle = Handle { view: view_seen, launcher: setup.launcher.clone(), stop_models: Arc::new(stop_sender) };
        (Master { setup, clock, view, events, stop_models }, handle, outbox)
    }

    /// Stands for election and leads, again and again, until `shutdown` or the stop node.
    pub async fn run(self, shutdown: CancellationToken) -> Result<End, Error> {
        let _ = (&self.clock, &self.view, &self.events, &self.stop_models, &self.setup.policy);
        shutdown.cancelled().await;
        Ok(End::Shutdown)
    }
}
