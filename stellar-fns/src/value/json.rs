//! JSON in and out.
//!
//! Whole numbers become Int or Long by their size (Jackson) or always Long (json-simple, which reads messages from Kafka).

use serde_json::{Map as JsonMap, Number as JsonNumber, Value as Json};

use super::equality::DEPTH;
use super::{Fuel, Map, MapKind, Value};

/// How many values one document may hold.
const LARGEST: u64 = 5_000_000;

/// What whole numbers of JSON become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integers {
    /// Int where it fits, else Long.
    BySize,
    /// Always Long.
    Long,
}

/// A value from JSON.
pub fn from_json(json: &Json, integers: Integers) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(number) => from_number(number, integers),
        Json::String(text) => Value::text(text),
        Json::Array(items) => Value::list(items.iter().map(|item| from_json(item, integers))),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| (Value::text(key), from_json(value, integers)));
            Value::Map(Map::new(MapKind::Linked, entries))
        }
    }
}

fn from_number(number: &JsonNumber, integers: Integers) -> Value {
    let Some(long) = number.as_i64() else { return number.as_f64().map_or(Value::Null, Value::Double) };
    match i32::try_from(long) {
        Ok(int) if integers == Integers::BySize => Value::Int(int),
        _ => Value::Long(long),
    }
}

/// A value as JSON; NaN and the infinities become text, keys their text form, objects their kind. None where they are too large or
/// nested too deep.
pub fn to_json(value: &Value) -> Option<Json> {
    write(value, DEPTH, &mut Fuel::new(LARGEST))
}

fn write(value: &Value, depth: u32, fuel: &mut Fuel) -> Option<Json> {
    fuel.burn(1)?;
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Int(int) => Json::from(*int),
        Value::Long(long) => Json::from(*long),
        Value::Float(float) => from_double(f64::from(*float)),
        Value::Double(double) => from_double(*double),
        Value::List(list) => {
            let depth = depth.checked_sub(1)?;
            Json::Array(list.read().iter().map(|item| write(item, depth, fuel)).collect::<Option<_>>()?)
        }
        Value::Set(set) => {
            let depth = depth.checked_sub(1)?;
            Json::Array(set.read().iter().map(|item| write(item, depth, fuel)).collect::<Option<_>>()?)
        }
        Value::Map(map) => {
            let depth = depth.checked_sub(1)?;
            let mut object = JsonMap::new();
            for (key, value) in map.read().iter() {
                object.insert(key.to_string(), write(value, depth, fuel)?);
            }
            Json::Object(object)
        }
        Value::Text(_) | Value::Char(_) | Value::Lambda(_) | Value::Object(_) => Json::String(value.to_string()),
    })
}

fn from_double(double: f64) -> Json {
    JsonNumber::from_f64(double).map_or_else(|| Json::String(super::double_text(double)), Json::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_ints_where_they_fit() {
        let json: Json = serde_json::from_str("[1, 3000000000, 1.5]").unwrap();
        let types = |integers| match from_json(&json, integers) {
            Value::List(list) => list.items().iter().map(Value::type_name).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        assert_eq!(types(Integers::BySize), ["int", "long", "double"]);
        assert_eq!(types(Integers::Long), ["long", "long", "double"]);
    }
}
