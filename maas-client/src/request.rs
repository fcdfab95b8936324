//! Requests: what travels through the queue, in Metron's words and with our additions.
//!
//! The wire form is Metron's `ModelRequest` JSON. Additions are written only when they differ from
//! their defaults, because Metron's reader refuses unknown keys. Decoding is pure: `wire` has the bytes, `rules` what a
//! field may hold.

mod rules;
mod wire;

use crate::model::{ModelId, ModelName, ModelVersion};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use rules::Error;

/// The longest message that is read at all, bytes.
pub const MAX_MESSAGE: usize = 256 * 1024;
/// Most instances one ADD or REMOVE may ask for.
pub const MAX_INSTANCES: u32 = 1_000;
/// Most instances a version may have, and a SCALE may ask for.
pub const MAX_PER_VERSION: u32 = 10_000;
/// Most memory of one instance, MB (16 TB).
pub const MAX_MEMORY_MB: u64 = 16 * 1024 * 1024;

/// What a request asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    /// Start this many more.
    Add,
    /// Stop this many.
    Remove,
    /// Make it exactly this many (ours; Metron has no such action).
    Scale,
}

/// What one instance needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Memory in MB (1024 × 1024 bytes).
    pub memory_mb: u64,
    /// Virtual cores.
    pub vcores: u32,
    /// Whole GPUs.
    pub gpus: u32,
    /// Node label it must run on; empty for any.
    pub label: String,
}

impl Default for Resources {
    fn default() -> Self {
        Resources { memory_mb: 512, vcores: 1, gpus: 0, label: String::new() }
    }
}

/// A request, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRequest {
    /// Which version of which model.
    pub model: ModelId,
    /// What is asked.
    pub action: Action,
    /// How many instances: 1–1,000 for ADD and REMOVE, 0–10,000 for SCALE.
    pub num_instances: u32,
    /// What each needs. `memory_mb` is 0 in a REMOVE.
    pub resources: Resources,
    /// Where the payload lies in the model store; absent in a REMOVE.
    pub path: Option<String>,
    /// What our own client adds; all defaults in a request of Metron's client.
    pub extra: Extra,
}

/// Our additions to Metron's six keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extra {
    /// Idempotency key, a UUID. A second request with the same one is a duplicate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The payload's digest (`sha256:` and 64 hex digits); absent when the store's tree has no manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Environment of the model's process.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Environment variables whose values the runner reads from these files.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// Replace the resources of a version that runs with others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub update: bool,
    /// REMOVE: take the payload out of the store once nothing runs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub purge: bool,
    /// Who asked, for events (`user@host`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl ModelRequest {
    /// The model's name.
    pub fn name(&self) -> &ModelName {
        &self.model.name
    }

    /// The model's version.
    pub fn version(&self) -> &ModelVersion {
        &self.model.version
    }
}
