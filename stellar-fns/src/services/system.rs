//! What expressions may learn of the process: the key `stellar.system.settings` of global.json.
//!
//! Whoever may write an expression can put what it reads into a message, and secrets stand in environment variables: those that are listed may be read, and no others.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map as JsonMap, Value as Json};

use super::settings::{SettingsError, object};

const KEY: &str = "stellar.system.settings";

/// What expressions may learn of the process.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct SystemSettings {
    /// Environment variables that may be read, by name or by its beginning (`LC_*`); none at first.
    #[serde(rename = "env.allowed")]
    pub env_allowed: Vec<String>,
    /// Properties beside those of the process, and in their place.
    pub properties: BTreeMap<String, String>,
}

impl SystemSettings {
    /// Those of a global configuration; where it has none, the defaults.
    pub fn from_globals(globals: &JsonMap<String, Json>) -> Result<Self, SettingsError> {
        Ok(object(globals, KEY)?.unwrap_or_default())
    }

    /// Whether this environment variable may be read; otherwise why not, and what to do.
    pub fn allows(&self, name: &str) -> Result<(), String> {
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == pattern,
        };
        if self.env_allowed.iter().any(fits) {
            return Ok(());
        }
        Err(format!("{name} is not listed in env.allowed of {KEY}; add it to global.json if expressions may read it"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(settings: Json) -> Result<SystemSettings, SettingsError> {
        SystemSettings::from_globals(json!({ KEY: settings }).as_object().unwrap())
    }

    #[test]
    fn no_variable_may_be_read_unless_it_is_listed() {
        for name in ["HOME", "DATABASE_URL", "GITHUB_TOKEN"] {
            assert!(SystemSettings::default().allows(name).unwrap_err().contains("env.allowed"), "{name}");
        }
        let listed = read(json!({"env.allowed": ["LC_*", "GITHUB_TOKEN"]})).unwrap();
        assert!(listed.allows("LC_ALL").is_ok() && listed.allows("GITHUB_TOKEN").is_ok());
        assert!(listed.allows("HOME").is_err() && listed.allows("LANG").is_err());
        assert!(read(json!({"env.allowed": ["*"]})).unwrap().allows("LANG").is_ok());
    }

    #[test]
    fn unknown_keys_and_other_forms_are_refused() {
        for refused in [json!({"env": []}), json!([]), json!({"properties": {"a": 1}})] {
            assert!(read(refused).is_err());
        }
    }
}
