//! Which keys there are, and which values are in range. Pure.

use super::read::Error;
use super::{Live, Ready, Settings};
use serde_json::Value;
use std::ops::RangeInclusive;

/// What may stand at a place.
enum Shape {
    /// Any value: the typed reader looks at it.
    Any,
    /// An object with these keys only.
    Keys(&'static [(&'static str, Shape)]),
    /// A list of such values.
    List(&'static Shape),
}

static SETTINGS: Shape = Shape::Keys(&[
    ("start_timeout_s", Shape::Any),
    ("drain_s", Shape::Any),
    ("stop_s", Shape::Any),
    ("env", Shape::Any),
    (
        "resources",
        Shape::Keys(&[("memory_mb", Shape::Any), ("vcores", Shape::Any), ("gpus", Shape::Any), ("label", Shape::Any)]),
    ),
    (
        "ready",
        Shape::Keys(&[("http", Shape::Any), ("tcp", Shape::Any), ("every_s", Shape::Any), ("timeout_s", Shape::Any)]),
    ),
    (
        "live",
        Shape::Keys(&[
            ("http", Shape::Any),
            ("tcp", Shape::Any),
            ("every_s", Shape::Any),
            ("timeout_s", Shape::Any),
            ("failures", Shape::Any),
        ]),
    ),
    ("warm_up", Shape::List(&Shape::Keys(&[("function", Shape::Any), ("args", Shape::Any)]))),
    ("call", Shape::Keys(&[("method", Shape::Any), ("timeout_ms", Shape::Any), ("idempotent", Shape::Any)])),
]);

/// Refuses keys that there are not, with their path.
pub(super) fn check_keys(value: &Value) -> Result<(), Error> {
    walk(value, &SETTINGS, "")
}

fn walk(value: &Value, shape: &Shape, path: &str) -> Result<(), Error> {
    match (shape, value) {
        (Shape::Keys(keys), Value::Object(map)) => {
            for (key, value) in map {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match keys.iter().find(|(name, _)| name == key) {
                    Some((_, shape)) => walk(value, shape, &below)?,
                    None => return Err(unknown(below, key, keys)),
                }
            }
            Ok(())
        }
        (Shape::List(shape), Value::Array(items)) => {
            items.iter().enumerate().try_for_each(|(index, item)| walk(item, shape, &format!("{path}[{index}]")))
        }
        // Of the wrong kind altogether: the typed reader says so.
        _ => Ok(()),
    }
}

fn unknown(path: String, key: &str, known: &[(&'static str, Shape)]) -> Error {
    let nearest = known
        .iter()
        .map(|(name, _)| (strsim::damerau_levenshtein(key, name), *name))
        .filter(|(distance, name)| *distance <= name.len().div_ceil(4))
        .min_by_key(|(distance, _)| *distance);
    let advice = match nearest {
        Some((_, name)) => format!("did you mean {name}?"),
        None => format!("known are {}", known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")),
    };
    Error::UnknownKey { path, advice }
}

const DAY_S: u64 = 86_400;
const MAX_WARM_UPS: usize = 100;

impl Settings {
    /// Checks every value's range; the error names the key.
    pub fn check(&self) -> Result<(), Error> {
        within("start_timeout_s", self.start_timeout_s, 1..=DAY_S)?;
        within("drain_s", self.drain_s, 0..=3600)?;
        within("stop_s", self.stop_s, 0..=3600)?;
        within("resources.memory_mb", self.resources.memory_mb, 1..=16 << 20)?;
        within("resources.vcores", self.resources.vcores.into(), 1..=1024)?;
        within("resources.gpus", self.resources.gpus.into(), 0..=1024)?;
        check_label(&self.resources.label)?;
        for (name, value) in &self.env {
            check_variable(name, value)?;
        }
        let Ready { http, tcp, every_s, timeout_s } = &self.ready;
        check_probe("ready", http, *tcp, *every_s, *timeout_s)?;
        if let Some(Live { http, tcp, every_s, timeout_s, failures }) = &self.live {
            check_probe("live", http, *tcp, *every_s, *timeout_s)?;
            within("live.failures", (*failures).into(), 1..=1000)?;
        }
        within("call.timeout_ms", self.call.timeout_ms, 1..=DAY_S * 1000)?;
        if self.warm_up.len() > MAX_WARM_UPS {
            return Err(bad("warm_up", format!("has {} calls; at most {MAX_WARM_UPS}", self.warm_up.len())));
        }
        for (index, call) in self.warm_up.iter().enumerate() {
            if call.function.is_empty() || call.function.chars().any(char::is_control) {
                return Err(bad(&format!("warm_up[{index}].function"), format!("{:?} is no function", call.function)));
            }
        }
        Ok(())
    }
}

fn within(key: &str, value: u64, range: RangeInclusive<u64>) -> Result<(), Error> {
    match range.contains(&value) {
        true => Ok(()),
        false => Err(bad(key, format!("is {value}; from {} to {}", range.start(), range.end()))),
    }
}

fn check_label(label: &str) -> Result<(), Error> {
    let ok = label.len() <= 255 && label.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    match ok {
        true => Ok(()),
        false => Err(bad("resources.label", format!("{label:?}; letters, digits, . _ - only"))),
    }
}

fn check_variable(name: &str, value: &str) -> Result<(), Error> {
    let key = format!("env.{name}");
    let mut characters = name.chars();
    let first_ok = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first_ok || !characters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(bad(&key, "is no name of a variable; letters, digits, _ only, the first no digit".into()));
    }
    match value.contains('\0') {
        true => Err(bad(&key, "has a zero byte in its value".into())),
        false => Ok(()),
    }
}

fn check_probe(key: &str, http: &Option<String>, tcp: Option<bool>, every: u64, timeout: u64) -> Result<(), Error> {
    within(&format!("{key}.every_s"), every, 1..=3600)?;
    within(&format!("{key}.timeout_s"), timeout, 1..=3600)?;
    match (http, tcp) {
        (Some(_), Some(true)) => Err(bad(key, "has http and tcp; choose one".into())),
        (None, Some(false)) => Err(bad(key, "has tcp false and no http; give an http path".into())),
        (Some(path), _) => {
            let ok =
                path.starts_with('/') && path.len() <= 2048 && path.chars().all(|c| c.is_ascii_graphic() && c != '#');
            match ok {
                true => Ok(()),
                false => Err(bad(&format!("{key}.http"), format!("{path:?} is no path; it starts with /"))),
            }
        }
        (None, _) => Ok(()),
    }
}

fn bad(key: &str, message: String) -> Error {
    Error::Value { key: key.to_string(), message }
}
