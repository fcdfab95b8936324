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
        let written: Written = serde_json::from_str(line).map_err(|error| unreadable(error.to_string()))?;
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
