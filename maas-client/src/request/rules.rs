//! What a request's fields may hold, and how a bad one is named. Pure.

use super::{Action, Extra, MAX_INSTANCES, MAX_MEMORY_MB, MAX_MESSAGE, MAX_PER_VERSION};
use crate::model;

/// Why a message is no request. Each text names the field and the value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Longer than [`MAX_MESSAGE`]; not looked into.
    #[error("message of {length} bytes; at most {MAX_MESSAGE}")]
    TooLong {
        /// How long it is.
        length: usize,
    },
    /// No bytes, or white space only.
    #[error("the message is empty")]
    Empty,
    /// The literal `null` that Metron's LIST leaves in the queue.
    #[error("the message is a literal null")]
    Null,
    /// No JSON at all, or cut off.
    #[error("the message is no JSON: {source}")]
    NotJson {
        /// Where it stops being JSON.
        source: serde_json::Error,
    },
    /// JSON, but no object.
    #[error("the message is {found}, not a JSON object")]
    NotAnObject {
        /// Its beginning.
        found: String,
    },
    /// A key nobody knows.
    #[error("unknown key {key:?}")]
    UnknownKey {
        /// The key, cut to 80 characters.
        key: String,
    },
    /// A key that must be there is not, or is null.
    #[error("{key} is missing")]
    Missing {
        /// Which key.
        key: &'static str,
    },
    /// A value of the wrong kind, or outside its limits.
    #[error("{key} {value}: {expected}")]
    Value {
        /// Which key.
        key: &'static str,
        /// The value as it stands in the message, cut to 80 characters.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// An action nobody knows.
    #[error("action {value}: ADD, REMOVE or SCALE, in capitals")]
    Action {
        /// The value as it stands in the message, cut to 80 characters.
        value: String,
    },
    /// A name or version that is none.
    #[error(transparent)]
    Name(#[from] model::Error),
}

/// Cut to 80 characters, with control characters made visible.
pub(super) fn shown(text: &str) -> String {
    let cut: String = text.chars().take(80).flat_map(show_character).collect();
    if text.chars().nth(80).is_some() { format!("{cut}…") } else { cut }
}

fn show_character(character: char) -> impl Iterator<Item = char> {
    let visible = !character.is_control();
    visible.then_some(character).into_iter().chain((!visible).then(|| character.escape_default()).into_iter().flatten())
}

pub(super) fn bad(key: &'static str, value: impl AsRef<str>, expected: impl Into<String>) -> Error {
    Error::Value { key, value: shown(value.as_ref()), expected: expected.into() }
}

/// How many instances this action may concern.
pub(super) fn instances(action: Action, number: i32) -> Result<u32, Error> {
    let (least, most) = match action {
        Action::Add => (1, MAX_INSTANCES),
        // More than there is takes all.
        Action::Remove => (1, i32::MAX.unsigned_abs()),
        Action::Scale => (0, MAX_PER_VERSION),
    };
    match u32::try_from(number) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(bad("numInstances", number.to_string(), format!("{least} to {most}"))),
    }
}

/// Memory of an ADD; the other actions carry none.
pub(super) fn memory(action: Action, number: i32) -> Result<u64, Error> {
    match (action, u64::try_from(number)) {
        (Action::Add, Ok(number)) if (1..=MAX_MEMORY_MB).contains(&number) => Ok(number),
        (Action::Add, _) => Err(bad("memory", number.to_string(), format!("1 to {MAX_MEMORY_MB} MB"))),
        (Action::Remove | Action::Scale, _) => Ok(0),
    }
}

/// A small whole number within limits.
pub(super) fn within(key: &'static str, number: i32, least: u32, most: u32) -> Result<u32, Error> {
    match u32::try_from(number) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(bad(key, number.to_string(), format!("{least} to {most}"))),
    }
}

/// A path inside the model store: never upwards, never with control characters.
pub(super) fn store_path(path: String) -> Result<String, Error> {
    let upwards = path.split('/').any(|part| part == "..");
    if path.is_empty() || path.len() > 4096 || upwards || path.chars().any(char::is_control) {
        return Err(bad("path", &path, "a path inside the model store, without .. and control characters"));
    }
    Ok(path)
}

/// A node label: empty, or like a name.
pub(super) fn label(label: String) -> Result<String, Error> {
    if label.is_empty() || is_word(&label) {
        return Ok(label);
    }
    Err(bad("label", &label, "letters, digits, . _ - only"))
}

fn is_word(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

fn is_variable(name: &str) -> bool {
    name.len() <= 256
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Checks our additions.
pub(super) fn extra(extra: Extra) -> Result<Extra, Error> {
    if let Some(id) = &extra.id
        && !is_word(id)
    {
        return Err(bad("id", id, "letters, digits, . _ - only, at most 128"));
    }
    if let Some(digest) = &extra.digest {
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() != 64 || !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(bad("digest", digest, "sha256: and 64 hexadecimal digits"));
        }
    }
    if let Some(by) = &extra.by
        && (by.len() > 256 || by.chars().any(char::is_control))
    {
        return Err(bad("by", by, "at most 256 characters, no control characters"));
    }
    for (name, value) in &extra.env {
        if !is_variable(name) {
            return Err(bad("env", name, "names of variables are letters, digits and _"));
        }
        if value.contains('\0') {
            return Err(bad("env", name, "its value has a zero byte"));
        }
    }
    for (name, file) in &extra.secrets {
        if !is_variable(name) {
            return Err(bad("secrets", name, "names of variables are letters, digits and _"));
        }
        if !file.starts_with('/') || file.chars().any(char::is_control) {
            return Err(bad("secrets", file, "an absolute path of a file"));
        }
    }
    Ok(extra)
}
