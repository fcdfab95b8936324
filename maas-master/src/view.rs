//! What the master shows: one snapshot after each pass, shared behind an `Arc`. HTTP, metrics and the status writer
//! render it; nothing here is asked of ZooKeeper again.

use crate::clock::Moment;
use crate::desired::Desired;
use crate::launcher::SharedLauncher;
use crate::observed::Observed;
use crate::plan::Plan;
use maas_client::state::Leader;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// One snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Whether this master leads.
    pub role: Role,
    /// Whether it is connected to ZooKeeper.
    pub connected: bool,
    /// Since when role and connection have been so.
    pub since: jiff::Timestamp,
    /// When the snapshot was made.
    pub at: Moment,
    /// What is wanted.
    pub desired: Arc<Desired>,
    /// What is there.
    pub observed: Arc<Observed>,
    /// What the last pass decided.
    pub plan: Arc<Plan>,
    /// The queue.
    pub queue: QueueView,
    /// How long the last pass took.
    pub pass: Duration,
    /// Passes of this term.
    pub passes: u64,
    /// Requests and messages of this process's life.
    pub counts: Counts,
}

/// Leader or not.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// Not known yet: ZooKeeper was not reached.
    Connecting,
    /// Another leads.
    Standby {
        /// The leader's node, as far as it can be read.
        leader: Option<Leader>,
    },
    /// This master leads.
    Leading(Leader),
}

/// The queue as last seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueView {
    /// Requests that wait.
    pub waiting: u64,
    /// Creation time of the oldest by the server's clock, ms since epoch.
    pub oldest_ms: Option<i64>,
}

/// What was taken from the queue, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that changed what is wanted.
    pub accepted: u64,
    /// Requests refused.
    pub refused: u64,
    /// Requests that were there before.
    pub duplicate: u64,
    /// Messages set aside.
    pub rejected: u64,
    /// Literal `null` messages.
    pub nulls: u64,
    /// Requests another program took.
    pub foreign: u64,
}

impl View {
    /// Before anything is known.
    pub fn empty(at: Moment) -> View {
        View {
            role: Role::Connecting,
            connected: false,
            since: crate::clock::wall_time(),
            at,
            desired: Arc::default(),
            observed: Arc::default(),
            plan: Arc::default(),
            queue: QueueView::default(),
            pass: Duration::ZERO,
            passes: 0,
            counts: Counts::default(),
        }
    }

    /// The leader's node while this master leads.
    pub fn leading(&self) -> Option<&Leader> {
        match &self.role {
            Role::Leading(leader) => Some(leader),
            _ => None,
        }
    }
}

/// What others hold of a running master. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(crate) view: watch::Receiver<Arc<View>>,
    pub(crate) launcher: SharedLauncher,
    pub(crate) stop_models: Arc<watch::Sender<bool>>,
}

impl Handle {
    /// The last snapshot.
    pub fn view(&self) -> Arc<View> {
        self.view.borrow().clone()
    }
    /// Snapshots as they come.
    pub fn watch(&self) -> watch::Receiver<Arc<View>> {
        self.view.clone()
    }
    /// Where instances run; for their logs.
    pub fn launcher(&self) -> &SharedLauncher {
        &self.launcher
    }
    /// Drains and stops every model, leaving what is wanted as it is; the master ends once all are gone. Taken back
    /// with `false` while it still runs.
    pub fn stop_models(&self, stop: bool) {
        self.stop_models.send_replace(stop);
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
