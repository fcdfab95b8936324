//! Events: every transition, with time, reason, host and exit code. STATUS, EVENTS, HTTP and the console show them.

use crate::model::{ModelName, ModelVersion};
use crate::reason::ReasonCode;
use serde::{Deserialize, Serialize};

/// What happened. The list grows; readers pass unknown kinds through as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Sorts as text in the order of happening: epoch and sequence, `000003-00000042`.
    pub id: String,
    /// When, UTC, milliseconds.
    pub time: jiff::Timestamp,
    /// One word in CamelCase: `RequestAccepted`, `RequestRefused`, `InstanceLaunched`, `InstanceReady`, `InstanceUnready`,
    /// `InstanceStopping`, `InstanceStopped`, `InstanceFailed`, `InstanceAdopted`, `CrashLoop`, `CurrentVersionMoved`,
    /// `SpecReplaced`, `Imported`, `LeaderElected`, `ForeignConsumer`, `MessageRejected`, `StepFailed`, `InstancesLeft`, `PayloadKept`.
    pub kind: String,
    /// The model it concerns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<ModelName>,
    /// The version it concerns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<ModelVersion>,
    /// The instance it concerns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instance: Option<String>,
    /// The host it happened on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// Why, from the fixed list.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason_code: Option<ReasonCode>,
    /// Why, for a person.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub reason: String,
    /// Exit code of the model's process (128 + signal when killed by one).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exit_code: Option<i32>,
    /// The request that caused it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<String>,
    /// Who caused it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
}
