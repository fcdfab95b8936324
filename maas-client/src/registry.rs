//! The registry's wire form: Curator's `ServiceInstance` with Metron's `ModelEndpoint`, exactly nine keys. Pure.
//!
//! Metron's Java reader drops its whole refresh on one node it can't read, so what we write is exactly what 2.7.1
//! writes; what we read is more forgiving, and one bad node never hides the others.

use crate::model::{ModelId, ModelName, ModelVersion};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Function map of an endpoint that names none, as in Metron.
pub fn default_functions() -> BTreeMap<String, String> {
    BTreeMap::from([("apply".to_string(), "apply".to_string())])
}

/// One live endpoint, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The model.
    pub name: ModelName,
    /// Its version.
    pub version: ModelVersion,
    /// The registration's node name: the instance.
    pub id: Arc<str>,
    /// Base url as registered.
    pub url: Arc<str>,
    /// Function name → path below the url.
    pub functions: Arc<BTreeMap<String, String>>,
    /// When it was registered, ms since epoch.
    pub registered_ms: i64,
    /// Creation transaction of the node: stands for the payload where no digest is known.
    pub czxid: i64,
}

impl Endpoint {
    /// Version and model together.
    pub fn model(&self) -> ModelId {
        ModelId { name: self.name.clone(), version: self.version.clone() }
    }
}

/// What a runner registers. [`Registration::encode`] writes the nine keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Which version of which model.
    pub model: ModelId,
    /// The instance.
    pub id: String,
    /// Published url, with the published host.
    pub url: String,
    /// Function name → path below the url.
    pub functions: BTreeMap<String, String>,
    /// When, ms since epoch.
    pub registered_ms: i64,
}
