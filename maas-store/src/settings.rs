//! What `maas.json` or `maas.yaml` beside the script may say. Every key is optional; ADD's options win over it.
//!
//! Reading is strict: an unknown key is refused with its path, a value out of range with its range. A `model.json` is
//! the model's own and never read. Deciding what a setting does is the master's and the runner's.

mod read;
mod schema;

pub use read::{Error, JSON_FILE, MAX_BYTES, YAML_FILE, from_dir, from_json, from_yaml};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All settings, with their defaults where nothing was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How long the script may take until its endpoint answers, s.
    pub start_timeout_s: u64,
    /// How long callers may finish after the endpoint is un-registered, s.
    pub drain_s: u64,
    /// How long the script has between SIGTERM and SIGKILL, s.
    pub stop_s: u64,
    /// Environment of the script.
    pub env: BTreeMap<String, String>,
    /// What one instance needs.
    pub resources: Resources,
    /// When an endpoint counts as ready.
    pub ready: Ready,
    /// How a ready endpoint is watched; `None`: as [`Settings::ready`] asks, with the defaults of [`Live`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
    /// Calls made before it is registered.
    pub warm_up: Vec<WarmUp>,
    /// How callers call it.
    pub call: Call,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            start_timeout_s: 600,
            drain_s: 3,
            stop_s: 5,
            env: BTreeMap::new(),
            resources: Resources::default(),
            ready: Ready::default(),
            live: None,
            warm_up: Vec::new(),
            call: Call::default(),
        }
    }
}

/// What one instance needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Memory, MB.
    pub memory_mb: u64,
    /// Virtual cores.
    pub vcores: u32,
    /// Whole GPUs.
    pub gpus: u32,
    /// Node label; empty for any.
    pub label: String,
}

impl Default for Resources {
    fn default() -> Self {
        Resources { memory_mb: 512, vcores: 1, gpus: 0, label: String::new() }
    }
}

/// How an endpoint is asked whether it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// A connection can be made.
    Tcp,
    /// A GET of this path below the published url answers 2xx.
    Http(String),
}

/// When an endpoint counts as ready: an HTTP path, or (the default) a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ready {
    /// Path of a GET that must answer 2xx.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// A connection is enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<bool>,
    /// How often it is asked, s.
    pub every_s: u64,
    /// How long an answer may take, s.
    pub timeout_s: u64,
}

impl Default for Ready {
    fn default() -> Self {
        Ready { http: None, tcp: None, every_s: 1, timeout_s: 1 }
    }
}

impl Ready {
    /// How it is asked.
    pub fn probe(&self) -> Probe {
        probe(&self.http)
    }
}

/// How a ready endpoint is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Live {
    /// Path of a GET that must answer 2xx.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// A connection is enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<bool>,
    /// How often it is asked, s.
    pub every_s: u64,
    /// How long an answer may take, s.
    pub timeout_s: u64,
    /// So many failures in a row make it unready.
    pub failures: u32,
}

impl Default for Live {
    fn default() -> Self {
        Live { http: None, tcp: None, every_s: 10, timeout_s: 2, failures: 3 }
    }
}

impl Live {
    /// How it is asked.
    pub fn probe(&self) -> Probe {
        probe(&self.http)
    }
}

fn probe(http: &Option<String>) -> Probe {
    match http {
        Some(path) => Probe::Http(path.clone()),
        None => Probe::Tcp,
    }
}

/// A call made before the endpoint is registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WarmUp {
    /// Which function of the model.
    pub function: String,
    /// Its arguments.
    #[serde(default)]
    pub args: BTreeMap<String, serde_json::Value>,
}

/// How callers call a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Call {
    /// GET with query parameters, or POST with a JSON body.
    pub method: Method,
    /// Longest time one try may take, ms.
    pub timeout_ms: u64,
    /// Whether a call may be sent again after it may have been received.
    pub idempotent: bool,
}

impl Default for Call {
    fn default() -> Self {
        Call { method: Method::Get, timeout_ms: 5000, idempotent: true }
    }
}

/// HTTP method of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Arguments as query parameters.
    Get,
    /// Arguments as a JSON body.
    Post,
}
