//! What expressions may learn of the process: the key `stellar.system.settings` of global.json.
//!
//! Whoever may write an expression can read an environment variable with it and put it into a message, so variables that look like secrets are kept back.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map as JsonMap, Value as Json};

use super::settings::{SettingsError, object};

const KEY: &str = "stellar.system.settings";

/// Parts of names that mark a secret.
const SECRET: [&str; 8] = ["PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "AUTH", "COOKIE", "PRIVATE"];

/// What expressions may learn of the process.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct SystemSettings {
    /// Environment variables that may be read, by name or by its beginning (`LC_*`); none given: all that don't look like secrets.
    #[serde(rename = "env.allowed")]
    pub env_allowed: Option<Vec<String>>,
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
        let Some(allowed) = &self.env_allowed else {
            let upper = name.to_ascii_uppercase();
            return match SECRET.iter().find(|part| upper.contains(*part)) {
                Some(part) => Err(format!("{name} has {part} in its name; list it in env.allowed of {KEY} to read it")),
                None => Ok(()),
            };
        };
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == pattern,
        };
        if allowed.iter().any(fits) { Ok(()) } else { Err(format!("{name} is not in env.allowed of {KEY}")) }
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
    fn what_looks_like_a_secret_is_kept_back_unless_it_is_listed() {
        let settings = SystemSettings::default();
        assert!(settings.allows("HOME").is_ok());
        for secret in ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "db_password"] {
            assert!(settings.allows(secret).unwrap_err().contains("env.allowed"));
        }
        let listed = read(json!({"env.allowed": ["LC_*", "GITHUB_TOKEN"]})).unwrap();
        assert!(listed.allows("LC_ALL").is_ok() && listed.allows("GITHUB_TOKEN").is_ok());
        assert!(listed.allows("HOME").is_err() && listed.allows("LANG").is_err());
    }

    #[test]
    fn unknown_keys_and_other_forms_are_refused() {
        for refused in [json!({"env": []}), json!([]), json!({"properties": {"a": 1}})] {
            assert!(read(refused).is_err());
        }
    }
}
