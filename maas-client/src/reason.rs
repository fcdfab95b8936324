//! States of instances and versions, and the fixed reason codes that stand beside every reason sentence.
//!
//! Scripts match on these; they are part of the interface and only ever added to.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where one instance stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum InstanceState {
    /// Recorded by the master, no container yet.
    Requested,
    /// A container is granted; the runner has not claimed the instance yet.
    Allocated,
    /// The runner has claimed it and is making the work directory.
    Localizing,
    /// The script runs; its endpoint has not answered the ready probe yet.
    Starting,
    /// Registered: the published url answered its probe.
    Ready,
    /// Was ready and is not now (probe failed, endpoint withdrawn, runner out of sight). Un-registered; may come back.
    Unready,
    /// Un-registered and finishing what callers have in flight.
    Draining,
    /// Ended because nobody wanted it any more.
    Stopped,
    /// Ended by itself or by force while it was wanted.
    Failed,
}

impl InstanceState {
    /// True once the instance has ended and only its record is left.
    pub fn is_ended(self) -> bool {
        matches!(self, InstanceState::Stopped | InstanceState::Failed)
    }
}

/// Where a version stands as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum VersionState {
    /// None ready, still trying.
    Starting,
    /// At least as many ready as wanted.
    Ready,
    /// Some ready, fewer than wanted.
    Degraded,
    /// None ready and in a crash loop.
    Failed,
    /// None wanted any more; what runs is being stopped.
    Stopping,
}

macro_rules! display_as_debug {
    ($($t:ty),*) => {$(
        impl fmt::Display for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Debug::fmt(self, f) }
        }
    )*};
}
display_as_debug!(InstanceState, VersionState);

/// Why an instance or a version is in its state. The sentence beside it says the particulars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// It does not fit now; it starts as soon as there is room.
    WaitingCapacity,
    /// No node is large enough, even when empty.
    NeverFits,
    /// The payload is being copied into the store.
    Importing,
    /// The payload can't be read from the store.
    PayloadUnreadable,
    /// The payload's bytes differ from its manifest.
    PayloadChanged,
    /// The script could not be executed at all.
    ScriptNotStarted,
    /// The script ended by itself.
    ScriptExited,
    /// No `endpoint.dat` within the start time-out.
    NoEndpoint,
    /// `endpoint.dat` is there and wrong.
    BadEndpoint,
    /// The published url did not answer its probe.
    ProbeFailed,
    /// It used more memory than it asked for.
    OutOfMemory,
    /// Killed by somebody else.
    Killed,
    /// The cluster took its container back for another.
    Preempted,
    /// The node it ran on is gone.
    NodeLost,
    /// Its registration is gone, or its runner is out of sight.
    Unregistered,
    /// It failed too often too quickly; retried with growing delay.
    CrashLoop,
    /// Another instance took its place.
    Replaced,
    /// A request took it away.
    Removed,
}

impl ReasonCode {
    /// The code as it stands in JSON, metrics and text.
    pub fn as_str(self) -> &'static str {
        match self {
            ReasonCode::WaitingCapacity => "waiting_capacity",
            ReasonCode::NeverFits => "never_fits",
            ReasonCode::Importing => "importing",
            ReasonCode::PayloadUnreadable => "payload_unreadable",
            ReasonCode::PayloadChanged => "payload_changed",
            ReasonCode::ScriptNotStarted => "script_not_started",
            ReasonCode::ScriptExited => "script_exited",
            ReasonCode::NoEndpoint => "no_endpoint",
            ReasonCode::BadEndpoint => "bad_endpoint",
            ReasonCode::ProbeFailed => "probe_failed",
            ReasonCode::OutOfMemory => "out_of_memory",
            ReasonCode::Killed => "killed",
            ReasonCode::Preempted => "preempted",
            ReasonCode::NodeLost => "node_lost",
            ReasonCode::Unregistered => "unregistered",
            ReasonCode::CrashLoop => "crash_loop",
            ReasonCode::Replaced => "replaced",
            ReasonCode::Removed => "removed",
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A reason code with its sentence; the two always travel together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// The fixed code.
    #[serde(rename = "reason_code")]
    pub code: ReasonCode,
    /// The particulars, one sentence fragment for a person.
    #[serde(rename = "reason")]
    pub text: String,
}

impl Reason {
    /// Pairs a code with its sentence.
    pub fn new(code: ReasonCode, text: impl Into<String>) -> Self {
        Reason { code, text: text.into() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `reason_code` and `reason` as two fields that are always there, `null` when there is no reason: what HTTP bodies say.
pub mod nullable {
    use super::{Reason, ReasonCode};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Fields {
        #[serde(default)]
        reason_code: Option<ReasonCode>,
        #[serde(default)]
        reason: Option<String>,
    }

    /// For `#[serde(flatten, with = …)]`.
    pub fn serialize<S: Serializer>(reason: &Option<Reason>, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = Fields {
            reason_code: reason.as_ref().map(|reason| reason.code),
            reason: reason.as_ref().map(|reason| reason.text.clone()),
        };
        fields.serialize(serializer)
    }

    /// For `#[serde(flatten, with = …)]`. A sentence without its code, or a code without sentence, is no reason.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Reason>, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        Ok(fields.reason_code.zip(fields.reason).map(|(code, text)| Reason { code, text }))
    }
}

/// `1 instance`, `3 instances`: for words that take an s.
pub fn plural(count: u64, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// An error with its causes, in one line; what a layer repeats of the one below is said once.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let said = deeper.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = deeper.source();
    }
    text
}
