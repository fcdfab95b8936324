//! The seam between the functions and whatever finds and calls models: [`ModelCaller`], and what passes through it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map as JsonMap, Value as Json};

use super::Outcome;
use crate::value::Text;

/// Finds endpoints of models and calls them, for evaluations on any thread.
///
/// The functions hand the questions to [`Context::ask`](crate::function::Context::ask). Both may wait, within a bound that the implementation sets, and may be asked again: a model is expected to answer the same question twice. Neither
/// is ever silent: what gives no answer is a [`Failure`], which the functions hand to [`ModelCaller::report`] before the expression sees null.
#[async_trait]
pub trait ModelCaller: Send + Sync + Debug {
    /// A live endpoint of the version, of the newest by natural order if none is named; each with the same probability. Nothing registered is a failure.
    async fn endpoint(&self, name: &str, version: Option<&str>) -> Result<Endpoint, Failure>;

    /// What [`ModelCaller::endpoint`] gives, where it is known without waiting: then the evaluation isn't left. None where it isn't.
    fn known_endpoint(&self, name: &str, version: Option<&str>) -> Option<Result<Endpoint, Failure>> {
        let _ = (name, version);
        None
    }

    /// A model's answer, which is a JSON object. When an endpoint doesn't answer, another of the same version is tried.
    async fn apply(&self, call: ModelCall) -> Result<Answer, Failure>;

    /// The answer to the same question where it is kept from earlier: then [`ModelCaller::apply`] isn't asked and the evaluation isn't left. None where it isn't kept.
    fn known_answer(&self, call: &ModelCall) -> Option<Answer> {
        let _ = call;
        None
    }

    /// Takes note of a call that gives null, or would without details.
    fn report(&self, function: &'static str, failure: &Failure);

    /// Whether answers carry where they came from, and failures are maps in place of null.
    fn detail(&self) -> bool {
        false
    }
}

/// One endpoint of a model, as it is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The model.
    pub name: Text,
    /// Its version.
    pub version: Text,
    /// Base url.
    pub url: Text,
    /// Paths below it by function.
    pub functions: Arc<BTreeMap<String, String>>,
}

/// What is asked of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelCall {
    /// The model.
    pub name: Text,
    /// Its version; none: the newest.
    pub version: Option<Text>,
    /// Base url of the endpoint to try first; none: any.
    pub url: Option<Text>,
    /// The function; none: `apply`.
    pub function: Option<Text>,
    /// Its arguments.
    pub arguments: JsonMap<String, Json>,
}

/// What a model answered, and which.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The answer.
    pub value: Arc<JsonMap<String, Json>>,
    /// The size of the answer as it came, bytes.
    pub size: usize,
    /// The model.
    pub model: Text,
    /// Its version.
    pub version: Text,
    /// The instance that answered.
    pub instance: Arc<str>,
    /// Its base url.
    pub url: Arc<str>,
    /// How long it took, tries on other endpoints included.
    pub latency: Duration,
    /// Whether it is an earlier answer to the same question.
    pub cached: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What it is counted as.
    pub outcome: Outcome,
    /// The model, as far as the expression named one.
    pub model: Option<String>,
    /// Its version, as far as the expression named one.
    pub version: Option<String>,
    /// What happened, where, and what was tried.
    pub message: String,
}

impl Failure {
    /// A call that names no model.
    pub(super) fn nothing_named(message: impl Into<String>) -> Self {
        Self { outcome: Outcome::NoEndpoint, model: None, version: None, message: message.into() }
    }
}
