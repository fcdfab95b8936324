//! Where failures go: nothing that gives null is silent, and a model that is down doesn't fill the log.

use std::fmt::Debug;
use std::time::Instant;

use maas_client::call::Outcome;

use super::Failure;
use crate::services::quiet::{Quiet, cut};

/// Takes note of calls that gave null.
pub trait Report: Send + Sync + Debug {
    /// Called for each of them, on the evaluating thread.
    fn failed(&self, function: &'static str, failure: &Failure);
}

/// Logs failures by `tracing`: a warning for each model, version and outcome once a minute, with the number of those not logged since the last.
#[derive(Debug, Default)]
pub struct Logged(Quiet<Kind>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    function: &'static str,
    model: Option<String>,
    version: Option<String>,
    outcome: Outcome,
}

impl Report for Logged {
    fn failed(&self, function: &'static str, failure: &Failure) {
        let model = failure.model.as_deref().map(cut);
        let version = failure.version.as_deref().map(cut);
        let kind = Kind { function, model: model.clone(), version: version.clone(), outcome: failure.outcome };
        let Some(unlogged) = self.0.due(kind, Instant::now()) else { return };
        tracing::warn!(
            function,
            model = model.as_deref().unwrap_or_default(),
            version = version.as_deref().unwrap_or_default(),
            outcome = failure.outcome.as_str(),
            error = cut(&failure.message),
            unlogged,
            "a model call gave null"
        );
    }
}
