//! A case as it is written: an expression, its variables with types that JSON doesn't say, how it is run.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::functions::known_zone;
use crate::value::{Document, Map, MapKind, Set, Value, double_of, float_of, long_of};
use crate::variables::VariableMap;

/// What a variable is that isn't given.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Missing {
    #[default]
    Null,
    Error,
}

/// What is asked about an expression.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    /// Its value.
    #[default]
    Run,
    /// Whether it holds.
    Predicate,
    /// Whether it evaluates with every variable null.
    Validate,
    /// Whether the grammar accepts it.
    Parse,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    id: Json,
    /// Null is a blank one.
    #[serde(deserialize_with = "Option::deserialize")]
    expr: Option<String>,
    vars: Option<Document>,
    #[serde(default)]
    var_types: HashMap<String, String>,
    #[serde(default)]
    missing: Missing,
    #[serde(default)]
    mode: Mode,
    tz: Option<String>,
    locale: Option<String>,
}

/// A case, ready to be run.
#[derive(Debug)]
pub(super) struct Case {
    pub id: Json,
    pub expr: String,
    pub vars: VariableMap,
    pub missing: Missing,
    pub mode: Mode,
    pub zone: TimeZone,
}

/// A line that is no case, with its id if it has one.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub id: Json,
    pub message: String,
}

impl Case {
    pub(super) fn read(line: &str) -> Result<Self, Unreadable> {
        let unreadable = |message: String| {
            let id =
                serde_json::from_str::<Json>(line).ok().and_then(|json| json.get("id").cloned()).unwrap_or_default();
            Unreadable { id, message }
        };
        let written: Written = serde_json::from_str(line).map_err(|error| unreadable(what_is_wrong(line, &error)))?;
        let zone = match &written.tz {
            None => TimeZone::system(),
            Some(name) => known_zone(name).ok_or_else(|| unreadable(format!("no time zone {name}")))?,
        };
        if let Some(locale) = written.locale.filter(|locale| !is_known(locale)) {
            return Err(unreadable(format!("no locale {locale}: values are written and read as in en_US")));
        }
        let mut vars = VariableMap::default();
        match written.vars {
            None | Some(Document(Value::Null)) => {}
            Some(Document(Value::Map(map))) => {
                for (name, value) in map.read().iter() {
                    let name = name.as_text().unwrap_or_default();
                    vars.insert(name, typed(value, name, &written.var_types).map_err(unreadable)?);
                }
            }
            Some(_) => return Err(unreadable("vars must be an object".to_owned())),
        }
        Ok(Self {
            id: written.id,
            expr: written.expr.unwrap_or_default(),
            vars,
            missing: written.missing,
            mode: written.mode,
            zone,
        })
    }
}

/// Why a line is no case, in the words of the format and not of whoever reads it.
fn what_is_wrong(line: &str, error: &serde_json::Error) -> String {
    let json = match serde_json::from_str::<Json>(line) {
        Ok(json) => json,
        Err(error) if error.is_eof() => return "the line ends before its JSON does".to_owned(),
        Err(error) => return format!("no JSON at column {}", error.column()),
    };
    let Json::Object(case) = json else { return "a case is a JSON object".to_owned() };
    let is_text = |key: &str| case.get(key).is_none_or(|value| value.is_null() || value.is_string());
    let one_of = |key: &str, words: &[&str]| case.get(key).is_none_or(|value| words.iter().any(|word| value == word));
    let types = case
        .get("var_types")
        .is_none_or(|types| types.as_object().is_some_and(|types| types.values().all(Json::is_string)));
    if !case.contains_key("expr") {
        "expr is missing".to_owned()
    } else if let Some(key) = ["expr", "tz", "locale"].into_iter().find(|key| !is_text(key)) {
        format!("{key} must be a text")
    } else if !types {
        "var_types must be an object of texts".to_owned()
    } else if !one_of("missing", &["null", "error"]) {
        "missing must be \"null\" or \"error\"".to_owned()
    } else if !one_of("mode", &["run", "predicate", "validate", "parse"]) {
        "mode must be \"run\", \"predicate\", \"validate\" or \"parse\"".to_owned()
    } else {
        format!("a key is given twice, up to column {}", error.column())
    }
}

/// Locales whose dates and numbers are written as they are here.
fn is_known(locale: &str) -> bool {
    let language = locale.split(['_', '-', '.']).next().unwrap_or_default();
    matches!(language, "" | "C" | "POSIX" | "en")
}

/// The value at `path`, of the type that is named for it.
fn typed(json: &Value, path: &str, types: &HashMap<String, String>) -> Result<Value, String> {
    let named = types.get(path).map(String::as_str);
    let inner = |key: &str, json: &Value| typed(json, &format!("{path}/{key}"), types);
    let value = match json {
        Value::List(items) => {
            let items = items.read();
            let items = items.iter().enumerate().map(|(index, item)| inner(&index.to_string(), item));
            Value::list(items.collect::<Result<Vec<_>, _>>()?)
        }
        Value::Map(map) => {
            let table = map.read();
            let entries = table
                .iter()
                .map(|(key, value)| Ok::<_, String>((key.clone(), inner(key.as_text().unwrap_or_default(), value)?)));
            Value::Map(Map::new(MapKind::Hash, entries.collect::<Result<Vec<_>, _>>()?))
        }
        scalar => scalar.clone(),
    };
    let Some(named) = named else { return Ok(value) };
    let list = |value: &Value| if let Value::List(list) = value { Some(list.items()) } else { None };
    let converted = match named {
        "long" => long_of(&value).map(Value::Long),
        "float" => float_of(&value).map(Value::Float),
        "double" => double_of(&value).map(Value::Double),
        // Shorts enter as ints.
        "short" => whole(&value).filter(|int| i16::try_from(*int).is_ok()).map(Value::Int),
        "int" => whole(&value).map(Value::Int),
        "set" => list(&value).map(|items| Value::Set(Set::new(items))),
        "entries" => list(&value).and_then(|pairs| entries(&pairs)),
        "double:NaN" => Some(Value::Double(f64::NAN)),
        "double:Infinity" => Some(Value::Double(f64::INFINITY)),
        "double:-Infinity" => Some(Value::Double(f64::NEG_INFINITY)),
        "float:NaN" => Some(Value::Float(f32::NAN)),
        _ => None,
    };
    converted.ok_or_else(|| format!("variable {path} can't be a {named}"))
}

/// An int; other numbers would lose something on the way.
fn whole(value: &Value) -> Option<i32> {
    if let Value::Int(int) = value { Some(*int) } else { None }
}

fn entries(pairs: &[Value]) -> Option<Value> {
    let pair = |pair: &Value| match pair {
        Value::List(pair) => Some((pair.get(0)?, pair.get(1)?)),
        _ => None,
    };
    Some(Value::Map(Map::new(MapKind::Hash, pairs.iter().map(pair).collect::<Option<Vec<_>>>()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_case_is_told_in_the_words_of_the_format() {
        for (line, message) in [
            ("nope", "no JSON at column 2"),
            (r#"{"expr": "1""#, "the line ends before its JSON does"),
            ("[]", "a case is a JSON object"),
            ("1", "a case is a JSON object"),
            (r#"{"id": 2}"#, "expr is missing"),
            (r#"{"expr": 5}"#, "expr must be a text"),
            (r#"{"expr": "1", "tz": 3}"#, "tz must be a text"),
            (r#"{"expr": "1", "vars": []}"#, "vars must be an object"),
            (r#"{"expr": "1", "var_types": {"x": 1}}"#, "var_types must be an object of texts"),
            (r#"{"expr": "1", "missing": 1}"#, "missing must be \"null\" or \"error\""),
            (r#"{"expr": "1", "mode": "x"}"#, "mode must be \"run\", \"predicate\", \"validate\" or \"parse\""),
            (r#"{"expr": "1", "expr": "2"}"#, "a key is given twice, up to column 20"),
        ] {
            assert_eq!(Case::read(line).unwrap_err().message, message, "{line}");
        }
    }
}
