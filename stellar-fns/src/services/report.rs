//! Where failures go: nothing that gives null because something failed is silent.

use std::fmt::{self, Debug};

/// Takes note of calls that gave null because something failed.
pub trait Report: Send + Sync + Debug {
    /// Called for each of them, as a rule on the evaluating thread.
    fn failed(&self, function: &'static str, failure: &Failure);
}

/// What a failure is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The settings don't allow it.
    Refused,
    /// What is asked for can't be read.
    Unreadable,
    /// Nobody there, or gone in the middle.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// An answer with a status that isn't allowed.
    Status,
    /// An answer of a form that isn't understood.
    BadAnswer,
    /// More than the bound.
    TooLarge,
}

impl Outcome {
    /// Its name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::BadAnswer => "bad_answer",
            Self::TooLarge => "too_large",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What it is counted as.
    pub outcome: Outcome,
    /// The host, file or variable that was asked: failures of the same one are logged together.
    pub about: String,
    /// What happened, and what to do.
    pub message: String,
}

/// Logs failures by `tracing`: a warning for each function, subject and outcome once a minute, with the number of those not logged since the last.
#[cfg(feature = "services")]
#[derive(Debug, Default)]
pub struct Logged(super::quiet::Quiet<(&'static str, String, Outcome)>);

#[cfg(feature = "services")]
impl Report for Logged {
    fn failed(&self, function: &'static str, failure: &Failure) {
        let about = super::quiet::cut(&failure.about);
        let kind = (function, about.clone(), failure.outcome);
        let Some(unlogged) = self.0.due(kind, std::time::Instant::now()) else { return };
        tracing::warn!(
            function,
            about,
            outcome = failure.outcome.as_str(),
            error = super::quiet::cut(&failure.message),
            unlogged,
            "a call gave null"
        );
    }
}
