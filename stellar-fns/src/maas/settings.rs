//! How models are called: the key `stellar.maas.settings` of global.json.

use std::time::Duration;

use maas_client::{cache, call, retry};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::services::settings::{SettingsError, object};

/// The key in global.json.
const KEY: &str = "stellar.maas.settings";

/// How models are called.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Longest time of a call, tries on other endpoints included, in milliseconds; 5000.
    #[serde(rename = "timeout.ms")]
    pub timeout_ms: u64,
    /// How often a call that may have reached a model is tried again; 1.
    pub retries: u32,
    /// How long an answer is kept for the same question, in milliseconds; 600,000. 0 keeps none.
    #[serde(rename = "cache.ttl.ms")]
    pub cache_ttl_ms: u64,
    /// How many answers are kept; 100,000.
    #[serde(rename = "cache.size")]
    pub cache_size: u64,
    /// Whether answers say where they came from, and failures are maps in place of null; false.
    pub detail: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { timeout_ms: 5_000, retries: 1, cache_ttl_ms: 600_000, cache_size: 100_000, detail: false }
    }
}

impl Settings {
    /// Those of a global configuration; where it has none, the defaults.
    pub fn from_globals(globals: &serde_json::Map<String, Json>) -> Result<Self, SettingsError> {
        let settings = object::<Self>(globals, KEY)?.unwrap_or_default();
        // A time in which nothing can be done, or that never ends.
        if !(1..=86_400_000).contains(&settings.timeout_ms) {
            let reason = format!("timeout.ms {}; give 1 to 86400000", settings.timeout_ms);
            return Err(SettingsError::unusable(KEY, reason));
        }
        Ok(settings)
    }

    /// The policy of the caller that follows from them.
    pub(super) fn policy(&self) -> call::Policy {
        call::Policy {
            deadline: Duration::from_millis(self.timeout_ms),
            retry: retry::Policy { tries: self.retries.saturating_add(1), ..retry::Policy::default() },
            cache: cache::Policy {
                ttl: Duration::from_millis(self.cache_ttl_ms),
                size: self.cache_size,
                ..cache::Policy::default()
            },
            ..call::Policy::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(settings: Json) -> Result<Settings, SettingsError> {
        let globals = json!({ KEY: settings, "es.ip": "x" });
        Settings::from_globals(globals.as_object().unwrap())
    }

    #[test]
    fn what_is_not_given_has_its_default_and_what_is_unknown_is_refused() {
        assert_eq!(Settings::from_globals(&serde_json::Map::new()).unwrap(), Settings::default());
        let given = read(json!({"timeout.ms": 70, "cache.ttl.ms": 0, "detail": true})).unwrap();
        assert_eq!(given, Settings { timeout_ms: 70, cache_ttl_ms: 0, detail: true, ..Settings::default() });
        for refused in [json!({"timeout": 70}), json!({"timeout.ms": -1}), json!([]), json!({"timeout.ms": 0})] {
            assert!(read(refused).is_err());
        }
    }
}
