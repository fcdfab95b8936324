//! A case as it is written: an expression, its variables with types that JSON doesn't say, how it is run.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::value::{Integers, Map, MapKind, Set, Value, double_of, float_of, from_json, long_of};
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
    expr: String,
    #[serde(default)]
    vars: serde_json::Map<String, Json>,
    #[serde(default)]
    var_types: HashMap<String, String>,
    #[serde(default)]
    missing: Missing,
    #[serde(default)]
    mode: Mode,
    tz: Option<String>,
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
        let written: Written = serde_json::from_str(line).map_err(|error| unreadable(error.to_string()))?;
        let zone = match &written.tz {
            None => TimeZone::system(),
            Some(name) => TimeZone::get(name).map_err(|_| unreadable(format!("no time zone {name}")))?,
        };
        let mut vars = VariableMap::default();
        for (name, json) in &written.vars {
            vars.insert(name, typed(json, name, &written.var_types).map_err(unreadable)?);
        }
        Ok(Self { id: written.id, expr: written.expr, vars, missing: written.missing, mode: written.mode, zone })
    }
}

/// The value at `path`, of the type that is named for it.
fn typed(json: &Json, path: &str, types: &HashMap<String, String>) -> Result<Value, String> {
    let named = types.get(path).map(String::as_str);
    let inner = |key: &str, json: &Json| typed(json, &format!("{path}/{key}"), types);
    let value = match json {
        Json::Array(items) => {
            let items = items.iter().enumerate().map(|(index, item)| inner(&index.to_string(), item));
            Value::list(items.collect::<Result<Vec<_>, _>>()?)
        }
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| Ok::<_, String>((Value::text(key), inner(key, value)?)));
            Value::Map(Map::new(MapKind::Hash, entries.collect::<Result<Vec<_>, _>>()?))
        }
        _ => from_json(json, Integers::BySize),
    };
    let Some(named) = named else { return Ok(value) };
    let list = |value: &Value| if let Value::List(list) = value { Some(list.items()) } else { None };
    let converted = match named {
        "long" => long_of(&value).map(Value::Long),
        "float" => float_of(&value).map(Value::Float),
        "double" => double_of(&value).map(Value::Double),
        // Shorts enter as ints.
        "short" | "int" => Some(value.clone()),
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

fn entries(pairs: &[Value]) -> Option<Value> {
    let pair = |pair: &Value| match pair {
        Value::List(pair) => Some((pair.get(0)?, pair.get(1)?)),
        _ => None,
    };
    Some(Value::Map(Map::new(MapKind::Hash, pairs.iter().map(pair).collect::<Option<Vec<_>>>()?)))
}
