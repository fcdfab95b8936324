//! Finds and reads the settings of a model directory; strict, and bounded in size.

use super::{Settings, schema};
use serde_json::Value;
use std::io::{self, Read};
use std::path::Path;

/// The settings as JSON.
pub const JSON_FILE: &str = "maas.json";
/// The settings as YAML.
pub const YAML_FILE: &str = "maas.yaml";
/// The longest settings file, bytes.
pub const MAX_BYTES: u64 = 256 << 10;

/// Why settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Which of the two would count?
    #[error("{JSON_FILE} and {YAML_FILE} are both there; keep one")]
    Both,
    /// The file can't be read.
    #[error("{file} can't be read")]
    Io {
        /// Which.
        file: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Longer than any sensible settings.
    #[error("{file} is longer than {MAX_BYTES} bytes")]
    TooLong {
        /// Which.
        file: &'static str,
    },
    /// Not JSON or YAML at all.
    #[error("{file} can't be read: {message}")]
    Syntax {
        /// Which.
        file: &'static str,
        /// What the reader says, with line and column.
        message: String,
    },
    /// This program was built without YAML.
    #[error("{YAML_FILE} can't be read by this build; write {JSON_FILE}")]
    NoYaml,
    /// A key that there is not.
    #[error("{path}: unknown key; {advice}")]
    UnknownKey {
        /// The key with all above it.
        path: String,
        /// What was perhaps meant.
        advice: String,
    },
    /// A value of the wrong kind or out of range.
    #[error("{key} {message}")]
    Value {
        /// The key with all above it.
        key: String,
        /// What is wrong with it.
        message: String,
    },
    /// Something in that file.
    #[error("{file}")]
    In {
        /// Which.
        file: &'static str,
        /// What.
        #[source]
        source: Box<Error>,
    },
}

/// The settings of a model directory; defaults when it has neither file.
pub fn from_dir(dir: &Path) -> Result<Settings, Error> {
    let json = read(dir, JSON_FILE)?;
    let yaml = read(dir, YAML_FILE)?;
    match (json, yaml) {
        (Some(_), Some(_)) => Err(Error::Both),
        (Some(text), None) => from_json(&text),
        (None, Some(text)) => from_yaml(&text),
        (None, None) => Ok(Settings::default()),
    }
}

fn read(dir: &Path, file: &'static str) -> Result<Option<String>, Error> {
    let opened = match std::fs::File::open(dir.join(file)) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Io { file, source }),
    };
    let mut bytes = Vec::new();
    opened.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|source| Error::Io { file, source })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::TooLong { file });
    }
    let text = String::from_utf8(bytes).map_err(|error| Error::Syntax { file, message: error.to_string() })?;
    Ok(Some(text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text)))
}

/// Settings from the text of `maas.json`.
pub fn from_json(text: &str) -> Result<Settings, Error> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| Error::Syntax { file: JSON_FILE, message: error.to_string() })?;
    from_value(&value).map_err(|source| Error::In { file: JSON_FILE, source: Box::new(source) })
}

/// Settings from the text of `maas.yaml`.
#[cfg(feature = "yaml")]
pub fn from_yaml(text: &str) -> Result<Settings, Error> {
    let value: Value =
        serde_saphyr::from_str(text).map_err(|error| Error::Syntax { file: YAML_FILE, message: error.to_string() })?;
    // An empty document says nothing, as an empty object does.
    let value = if value.is_null() { Value::Object(serde_json::Map::new()) } else { value };
    from_value(&value).map_err(|source| Error::In { file: YAML_FILE, source: Box::new(source) })
}

/// Settings from the text of `maas.yaml`: not in this build.
#[cfg(not(feature = "yaml"))]
pub fn from_yaml(_text: &str) -> Result<Settings, Error> {
    Err(Error::NoYaml)
}

fn from_value(value: &Value) -> Result<Settings, Error> {
    if !value.is_object() {
        return Err(Error::Value { key: "the whole".into(), message: "is no object".into() });
    }
    schema::check_keys(value)?;
    let settings: Settings = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let key = if path == "." { "the whole".into() } else { path };
        Error::Value { key, message: format!("can't be used: {}", error.inner()) }
    })?;
    settings.check()?;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Method, Probe};
    use proptest::prelude::*;
    use std::error::Error as _;

    fn message(text: &str) -> String {
        let error = from_json(text).unwrap_err();
        error.source().map_or(error.to_string(), ToString::to_string)
    }

    #[test]
    fn every_key_is_optional_and_has_its_default() {
        let settings = from_json("{}").unwrap();
        assert_eq!(settings, Settings::default());
        assert_eq!((settings.start_timeout_s, settings.drain_s, settings.stop_s), (600, 3, 5));
        assert_eq!(settings.ready.probe(), Probe::Tcp);
        let live = from_json(r#"{"live":{"http":"/ping"}}"#).unwrap().live.unwrap();
        assert_eq!((live.every_s, live.timeout_s, live.failures), (10, 2, 3));
        assert_eq!(live.probe(), Probe::Http("/ping".into()));
    }

    #[test]
    fn all_keys_of_the_documentation_are_read() {
        let text = r#"{"start_timeout_s":60,"drain_s":1,"stop_s":2,"env":{"A":"b"},
            "resources":{"memory_mb":256,"vcores":2,"gpus":1,"label":"gpu"},
            "ready":{"http":"/ping","every_s":1,"timeout_s":1},"live":{"tcp":true,"every_s":10,"timeout_s":2,"failures":3},
            "warm_up":[{"function":"apply","args":{"host":"x"}}],"call":{"method":"POST","timeout_ms":100,"idempotent":false}}"#;
        let settings = from_json(text).unwrap();
        assert_eq!(settings.call.method, Method::Post);
        assert_eq!(settings.warm_up[0].args["host"], "x");
        let again = serde_json::to_string(&settings).unwrap();
        assert_eq!(from_json(&again).unwrap(), settings);
    }

    #[test]
    fn unknown_keys_and_bad_values_are_refused_with_their_path() {
        assert_eq!(
            message(r#"{"resources":{"memroy_mb":1}}"#),
            "resources.memroy_mb: unknown key; did you mean memory_mb?"
        );
        assert!(message(r#"{"warm_up":[{"function":"f","x":1}]}"#).starts_with("warm_up[0].x: unknown key"));
        assert_eq!(message(r#"{"drain_s":4000}"#), "drain_s is 4000; from 0 to 3600");
        assert!(message(r#"{"resources":{"vcores":"two"}}"#).starts_with("resources.vcores can't be used"));
        assert!(message(r#"{"call":{"method":"PUT"}}"#).starts_with("call.method can't be used"));
        assert!(message(r#"{"drain_s":-1}"#).starts_with("drain_s can't be used"));
        assert!(message(r#"{"env":{"1A":"x"}}"#).starts_with("env.1A is no name"));
        assert!(message(r#"{"ready":{"http":"/a","tcp":true}}"#).starts_with("ready has http and tcp"));
        assert!(message(r#"{"ready":{"http":"ping"}}"#).starts_with("ready.http"));
        assert!(message("[]").contains("no object"));
        assert!(message("{").contains("maas.json can't be read"));
    }

    #[cfg(feature = "yaml")]
    #[test]
    fn yaml_says_the_same_as_json() {
        let yaml = "drain_s: 1\nresources:\n  vcores: 2\nwarm_up:\n  - function: apply\n    args: {host: x}\n";
        let json = r#"{"drain_s":1,"resources":{"vcores":2},"warm_up":[{"function":"apply","args":{"host":"x"}}]}"#;
        assert_eq!(from_yaml(yaml).unwrap(), from_json(json).unwrap());
        assert_eq!(from_yaml("").unwrap(), Settings::default());
        assert!(from_yaml("drain_s: [").is_err());
        assert!(from_yaml("dran_s: 1").is_err());
    }

    #[test]
    fn both_files_are_refused_and_a_model_json_is_never_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("model.json"), "no json").unwrap();
        assert_eq!(from_dir(dir.path()).unwrap(), Settings::default());
        std::fs::write(dir.path().join(JSON_FILE), r#"{"drain_s":9}"#).unwrap();
        assert_eq!(from_dir(dir.path()).unwrap().drain_s, 9);
        std::fs::write(dir.path().join(YAML_FILE), "drain_s: 9").unwrap();
        assert!(matches!(from_dir(dir.path()), Err(Error::Both)));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
            let _ = from_json(&text);
            let _ = from_yaml(&text);
        }

        #[test]
        fn no_json_with_our_keys_makes_the_reader_panic(
            key in prop::sample::select(vec!["drain_s", "env", "resources", "ready", "live", "warm_up", "call"]),
            value in prop::sample::select(vec!["null", "1", "-1", "1e99", "\"x\"", "[]", "{}", "[{}]", "{\"http\":3}", "true"]),
        ) {
            let _ = from_json(&format!("{{\"{key}\":{value}}}"));
        }
    }
}
