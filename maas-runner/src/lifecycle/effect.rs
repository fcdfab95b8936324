//! What goes into the state machine, what comes out, and its knobs.

use super::ScriptEnd;
use crate::endpoint::{Conclusion, Published};
use maas_client::reason::Reason;
use maas_store::Settings;
use std::time::Duration;

/// The knobs, from the payload's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// From the script's start to the first answer.
    pub(crate) start_timeout: Duration,
    /// How long callers have to finish.
    pub(crate) drain: Duration,
    /// From SIGTERM to SIGKILL.
    pub(crate) stop: Duration,
    /// Longest pause between probes until it is ready.
    pub(crate) ready_every: Duration,
    /// Pause between probes once it is ready.
    pub(crate) live_every: Duration,
    /// So many failures in a row make it unready.
    pub(crate) live_failures: u32,
    /// Whether there are calls to be made before it is registered.
    pub(crate) warms_up: bool,
}

impl From<&Settings> for Policy {
    fn from(settings: &Settings) -> Self {
        let live = settings.live.clone().unwrap_or_default();
        Policy {
            start_timeout: Duration::from_secs(settings.start_timeout_s),
            drain: Duration::from_secs(settings.drain_s),
            stop: Duration::from_secs(settings.stop_s),
            ready_every: Duration::from_secs(settings.ready.every_s.max(1)),
            live_every: Duration::from_secs(live.every_s.max(1)),
            live_failures: live.failures.max(1),
            warms_up: !settings.warm_up.is_empty(),
        }
    }
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The claim stands in ZooKeeper.
    Claimed,
    /// The work directory is made.
    Localized,
    /// It can't be made.
    NotLocalized(Reason),
    /// The script runs.
    ScriptStarted,
    /// It could not be executed.
    ScriptNotStarted(Reason),
    /// It ended.
    ScriptEnded(ScriptEnd),
    /// The guard ended without a word about the script.
    GuardLost,
    /// `endpoint.dat` means something else than before.
    Endpoint(Conclusion),
    /// A probe of this url came back.
    Probed {
        /// Which url was asked.
        url: String,
        /// The answer, or the trouble.
        outcome: Result<(), String>,
    },
    /// The warm-up calls of this url are through.
    WarmedUp {
        /// Which url was called.
        url: String,
        /// Whether all succeeded, or the trouble.
        outcome: Result<(), String>,
    },
    /// The record says stop.
    StopWanted(Reason),
    /// There is no record.
    RecordGone,
    /// The runner itself was asked to end.
    Terminated,
    /// More memory than allowed.
    OverMemory {
        /// What it used, MB.
        used_mb: u64,
        /// What it may use, MB.
        limit_mb: u64,
    },
    /// The registration is gone from ZooKeeper.
    Unregistered,
    /// So many connections to its port are open.
    Connections(usize),
    /// No process of it lives.
    NothingLeft,
    /// A deadline may have passed.
    Tick,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Make the work directory.
    Localize,
    /// Start the script.
    StartScript,
    /// Ask the endpoint; the answer is [`Event::Probed`].
    Probe {
        /// Whom.
        endpoint: Published,
        /// By the live probe, not the ready one.
        live: bool,
    },
    /// Make the warm-up calls; the answer is [`Event::WarmedUp`].
    WarmUp {
        /// Whom.
        endpoint: Published,
    },
    /// Put the endpoint into the registry.
    Register {
        /// Which.
        endpoint: Published,
    },
    /// Take it out of the registry. May come when it is not there.
    Unregister,
    /// State, reason or url changed: bring the claim up to date.
    Report,
    /// Send SIGTERM to everything the script started.
    Terminate,
    /// Send SIGKILL to everything until nothing lives; the answer is [`Event::NothingLeft`].
    Kill,
    /// Write `exit.json` and end.
    Finish,
}
