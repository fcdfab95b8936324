//! Reading one key of global.json; what can be wrong with it.

use serde::de::DeserializeOwned;
use serde_json::{Map as JsonMap, Value as Json};

/// A key of the global configuration that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not of the form, or with a key inside that doesn't exist.
    #[error("{key} can't be read")]
    Unreadable {
        /// The key.
        key: &'static str,
        /// What the JSON reader says.
        #[source]
        source: serde_json::Error,
    },
    /// Of the form, but with a value that can't be used.
    #[error("{key}: {reason}")]
    Unusable {
        /// The key.
        key: &'static str,
        /// Why, and what to write.
        reason: String,
    },
}

impl SettingsError {
    /// The key.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Unreadable { key, .. } | Self::Unusable { key, .. } => key,
        }
    }

    /// What is wrong with it, on one line.
    pub fn told(&self) -> String {
        match self {
            Self::Unreadable { source, .. } => source.to_string(),
            Self::Unusable { reason, .. } => reason.clone(),
        }
    }

    pub(crate) fn unusable(key: &'static str, reason: impl Into<String>) -> Self {
        Self::Unusable { key, reason: reason.into() }
    }
}

/// What an object under `key` holds; none where there is no such key.
pub(crate) fn object<T: DeserializeOwned>(
    globals: &JsonMap<String, Json>,
    key: &'static str,
) -> Result<Option<T>, SettingsError> {
    match globals.get(key) {
        None => Ok(None),
        Some(Json::Object(object)) => {
            let read = T::deserialize(Json::Object(object.clone()));
            read.map(Some).map_err(|source| SettingsError::Unreadable { key, source })
        }
        // A list of values in order would be taken for the settings too.
        Some(_) => Err(SettingsError::unusable(key, "is no JSON object")),
    }
}

/// The text under `key`; none where there is no such key.
#[cfg(feature = "geo")]
pub(super) fn text<'a>(
    globals: &'a JsonMap<String, Json>,
    key: &'static str,
) -> Result<Option<&'a str>, SettingsError> {
    match globals.get(key) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(SettingsError::unusable(key, "is no text")),
    }
}

/// A file of this machine, written as a path or as a `file://` url. What else a url may name is refused, with `instead` as what to do.
#[cfg(any(feature = "geo", feature = "enrichment", feature = "rest"))]
pub(super) fn local_file(written: &str, instead: &str) -> Result<std::path::PathBuf, String> {
    if written.contains('\0') {
        return Err("has a zero byte".into());
    }
    let path = match written.split_once("://") {
        None => written,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => rest.strip_prefix("localhost").unwrap_or(rest),
        Some((scheme, _)) => return Err(format!("{scheme}:// is no file of this machine; {instead}")),
    };
    if !path.starts_with('/') {
        return Err(format!("{written} does not begin with /; write /DIR/FILE or file:///DIR/FILE"));
    }
    Ok(path.into())
}
