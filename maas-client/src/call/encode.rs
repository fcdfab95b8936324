//! From an endpoint, a function and arguments to a request's target and body. Pure.

use crate::state::Method;
use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Everything but unreserved characters.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What can't stand in a path; slashes of a function's path stay.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^')
    .add(b'|')
    .add(b'[')
    .add(b']')
    .add(b'%');

/// The longest target sent, bytes: servers refuse longer ones with less clear words.
pub(super) const TARGET_MOST: usize = 32 << 10;
/// Room for the query of most calls, bytes.
const QUERY_ROOM: usize = 64;

/// What is sent to a model.
#[derive(Debug, Clone, PartialEq)]
pub enum Arguments {
    /// Named values: query parameters, or the members of a JSON body.
    Named(Map<String, Value>),
    /// A JSON document as it is. Where the model is called by GET it must be an object.
    Document(Bytes),
}

impl Default for Arguments {
    fn default() -> Self {
        Arguments::Named(Map::new())
    }
}

/// Arguments or a function's name that can't be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A document for a model that takes named values.
    #[error("the model is called by GET and takes named values; give a JSON object")]
    NoObject,
    /// A path that would leave the endpoint.
    #[error("function {function:?} has a part \".\" or \"..\"")]
    Dots {
        /// The path.
        function: String,
    },
    /// More than a url may hold.
    #[error("arguments of {bytes} bytes for a url; at most {limit}: let the model take POST")]
    TooLong {
        /// Bytes of the whole target.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
}

/// The path of a function below the base url. The name that a caller gives wins: the registered map only translates it.
pub(super) fn function_path<'a>(
    function: Option<&'a str>,
    registered: &'a BTreeMap<String, String>,
) -> Result<&'a str, Error> {
    let function = function.unwrap_or("apply");
    let path = registered.get(function).map_or(function, String::as_str);
    if path.split('/').any(|part| part == "." || part == "..") {
        return Err(Error::Dots { function: path.to_string() });
    }
    Ok(path)
}

/// Base url and a function's path joined with exactly one slash; a query of the base stays behind the path.
pub(super) fn join(base: &str, function: &str) -> String {
    let base = base.split_once('#').map_or(base, |(base, _)| base);
    let (base, query) = base.split_once('?').map_or((base, None), |(base, query)| (base, Some(query)));
    let function = function.trim_start_matches('/');
    let mut url = String::with_capacity(base.len() + function.len() + QUERY_ROOM);
    url.push_str(base.trim_end_matches('/'));
    if !function.is_empty() {
        url.push('/');
        url.extend(utf8_percent_encode(function, IN_PATH));
    }
    if let Some(query) = query {
        url.push('?');
        url.push_str(query);
    }
    url
}

/// The target, which begins with the url and ends with the arguments, and the body.
pub(super) fn request(url: String, method: Method, arguments: &Arguments) -> Result<(String, Bytes), Error> {
    match (method, arguments) {
        (Method::Post, Arguments::Document(document)) => Ok((url, document.clone())),
        (Method::Post, Arguments::Named(named)) => {
            // A map of values always has a JSON form.
            let body = serde_json::to_vec(named).unwrap_or_else(|_| b"{}".to_vec());
            Ok((url, body.into()))
        }
        (Method::Get, Arguments::Named(named)) => Ok((with_query(url, named)?, Bytes::new())),
        (Method::Get, Arguments::Document(document)) => {
            let named: Map<String, Value> = serde_json::from_slice(document).map_err(|_| Error::NoObject)?;
            Ok((with_query(url, &named)?, Bytes::new()))
        }
    }
}

fn with_query(mut target: String, named: &Map<String, Value>) -> Result<String, Error> {
    let mut separator = if target.contains('?') { '&' } else { '?' };
    for (key, value) in named {
        let text;
        let shown: &str = match value {
            // There is no text for nothing; Metron's models test for the parameter.
            Value::Null => continue,
            Value::String(text) => text,
            // Numbers and booleans as they are written, lists and maps as JSON.
            other => {
                text = other.to_string();
                &text
            }
        };
        target.push(separator);
        target.extend(utf8_percent_encode(key, IN_QUERY));
        target.push('=');
        target.extend(utf8_percent_encode(shown, IN_QUERY));
        separator = '&';
    }
    if target.len() > TARGET_MOST {
        return Err(Error::TooLong { bytes: target.len(), limit: TARGET_MOST });
    }
    Ok(target)
}

/// Appends one text for all spellings of the same arguments: JSON without blanks, keys sorted at every level. False where there is none.
#[cfg(feature = "cache")]
pub(super) fn canonical(arguments: &Arguments, text: &mut Vec<u8>) -> bool {
    match arguments {
        Arguments::Named(map) => canonical_named(map, text),
        Arguments::Document(document) => {
            serde_json::from_slice(document).is_ok_and(|value| write_canonical(&value, text).is_some())
        }
    }
}

/// The same for arguments by name.
#[cfg(feature = "cache")]
pub(super) fn canonical_named(map: &Map<String, Value>, text: &mut Vec<u8>) -> bool {
    write_canonical_map(map, text).is_some()
}

#[cfg(feature = "cache")]
fn write_canonical(value: &Value, text: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Object(map) => write_canonical_map(map, text)?,
        Value::Array(list) => {
            text.push(b'[');
            for item in list {
                write_canonical(item, text)?;
                text.push(b',');
            }
            text.push(b']');
        }
        scalar => write_scalar(scalar, text)?,
    }
    Some(())
}

#[cfg(feature = "cache")]
fn write_canonical_map(map: &Map<String, Value>, text: &mut Vec<u8>) -> Option<()> {
    text.push(b'{');
    if map.keys().is_sorted() {
        map.iter().try_for_each(|entry| write_entry(entry, text))?;
    } else {
        let mut sorted: Vec<(&String, &Value)> = map.iter().collect();
        sorted.sort_by_key(|(key, _)| *key);
        sorted.into_iter().try_for_each(|entry| write_entry(entry, text))?;
    }
    text.push(b'}');
    Some(())
}

#[cfg(feature = "cache")]
fn write_entry((key, value): (&String, &Value), text: &mut Vec<u8>) -> Option<()> {
    write_scalar(key, text)?;
    text.push(b':');
    write_canonical(value, text)?;
    text.push(b',');
    Some(())
}

#[cfg(feature = "cache")]
fn write_scalar(value: &impl serde::Serialize, text: &mut Vec<u8>) -> Option<()> {
    serde_json::to_writer(text, value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(value: Value) -> Arguments {
        Arguments::Named(value.as_object().unwrap().clone())
    }

    #[test]
    fn base_and_function_are_joined_with_one_slash() {
        for (base, function, joined) in [
            ("http://h:1", "apply", "http://h:1/apply"),
            ("http://h:1/", "/apply", "http://h:1/apply"),
            ("http://h:1/v1//", "a/b", "http://h:1/v1/a/b"),
            ("http://h:1/x?key=1#top", "apply", "http://h:1/x/apply?key=1"),
            ("http://h:1/x", "", "http://h:1/x"),
            ("http://h:1", "what is?", "http://h:1/what%20is%3F"),
        ] {
            assert_eq!(join(base, function), joined);
        }
    }

    #[test]
    fn the_callers_function_wins_and_the_map_translates_it() {
        let map = BTreeMap::from([("apply".into(), "score".into()), ("explain".into(), "v2/why".into())]);
        assert_eq!(function_path(None, &map), Ok("score"));
        assert_eq!(function_path(Some("apply"), &map), Ok("score"));
        assert_eq!(function_path(Some("explain"), &map), Ok("v2/why"));
        assert_eq!(function_path(Some("other"), &map), Ok("other"));
        assert_eq!(function_path(None, &BTreeMap::new()), Ok("apply"));
        let function = "a/../b".to_string();
        assert_eq!(function_path(Some("a/../b"), &map), Err(Error::Dots { function }));
    }

    #[test]
    fn values_become_query_parameters() {
        let arguments = named(json!({
            "host": "a b&c=ü/+", "n": 1.5, "b": true, "none": null, "list": [1, "x"], "map": {"k": {"z": 1}}, "big": 12345678901234567890u64
        }));
        let (target, body) = request("http://h:1/apply".into(), Method::Get, &arguments).unwrap();
        assert_eq!(
            target,
            "http://h:1/apply?b=true&big=12345678901234567890&host=a%20b%26c%3D%C3%BC%2F%2B&list=%5B1%2C%22x%22%5D&map=%7B%22k%22%3A%7B%22z%22%3A1%7D%7D&n=1.5"
        );
        assert!(body.is_empty());
        let (target, _) = request("http://h:1/apply?key=1".into(), Method::Get, &named(json!({"a": "b"}))).unwrap();
        assert_eq!(target, "http://h:1/apply?key=1&a=b");
    }

    #[test]
    fn documents_go_as_they_are_or_as_parameters() {
        let document = Arguments::Document(Bytes::from_static(b"{ \"a\" : 1 }"));
        assert_eq!(request("http://h".into(), Method::Post, &document).unwrap().1, "{ \"a\" : 1 }");
        assert_eq!(request("http://h".into(), Method::Get, &document).unwrap().0, "http://h?a=1");
        let list = Arguments::Document(Bytes::from_static(b"[1]"));
        assert_eq!(request("http://h".into(), Method::Get, &list).unwrap_err(), Error::NoObject);
        let long = named(json!({"a": "x".repeat(TARGET_MOST)}));
        assert!(matches!(request("http://h".into(), Method::Get, &long), Err(Error::TooLong { .. })));
    }

    #[cfg(feature = "cache")]
    #[test]
    fn spellings_of_the_same_arguments_are_one() {
        let first = Arguments::Document(Bytes::from_static(br#"{"b": {"y": 1, "x": [1, {"q":0}]}, "a": "t"}"#));
        let second = named(json!({"a": "t", "b": {"x": [1, {"q": 0}], "y": 1}}));
        let canonical = |arguments| {
            let mut text = Vec::new();
            super::canonical(&arguments, &mut text).then_some(text)
        };
        assert_eq!(canonical(first.clone()), canonical(second));
        assert_ne!(canonical(first), canonical(named(json!({"a": "t"}))));
        assert_ne!(canonical(named(json!({"a": "1"}))), canonical(named(json!({"a": 1}))));
        assert_eq!(canonical(Arguments::Document(Bytes::from_static(b"{"))), None);
    }
}
