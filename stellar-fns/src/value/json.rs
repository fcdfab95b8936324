//! JSON in and out.
//!
//! Whole numbers become Int or Long by their size (Jackson) or always Long (json-simple, which reads messages from Kafka).

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map as JsonMap, Number as JsonNumber, Value as Json};
use thiserror::Error;

use super::equality::DEPTH;
use super::{Fuel, Map, MapKind, Value};

/// How many values and how many times 16 bytes of text one document may hold.
pub(crate) const LARGEST: u64 = 5_000_000;

/// Why a value can't be written as JSON.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Unwritable {
    /// More than may be written.
    #[error("too large")]
    TooLarge,
    /// More levels than are looked into.
    #[error("nested deeper than {DEPTH} levels")]
    TooDeep,
}

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

/// The value that a text starts with: whole numbers by size, maps in the order of the text. As with Jackson, what stands behind it doesn't matter.
pub fn parse_json(text: &str) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let Document(value) = Document::deserialize(&mut deserializer)?;
    // But behind a number there must be space.
    if value.as_number().is_some() {
        let number = text.trim_start().split(char::is_whitespace).next().unwrap_or_default();
        serde_json::from_str::<serde::de::IgnoredAny>(number)?;
    }
    Ok(value)
}

/// Reads JSON straight into a value.
pub(crate) struct Document(pub Value);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Document;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Document, E> {
                Ok(Document(Value::Null))
            }

            fn visit_bool<E>(self, bool: bool) -> Result<Document, E> {
                Ok(Document(Value::Bool(bool)))
            }

            fn visit_i64<E>(self, long: i64) -> Result<Document, E> {
                Ok(Document(i32::try_from(long).map_or(Value::Long(long), Value::Int)))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Document, E> {
                let number = JsonNumber::from(number);
                Ok(Document(from_number(&number, Integers::BySize)))
            }

            fn visit_f64<E>(self, double: f64) -> Result<Document, E> {
                Ok(Document(Value::Double(double)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Document, E> {
                Ok(Document(Value::text(text)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Document, A::Error> {
                let mut list = Vec::new();
                while let Some(Document(item)) = items.next_element()? {
                    list.push(item);
                }
                Ok(Document(Value::list(list)))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Document, A::Error> {
                let mut table = Vec::new();
                while let Some((key, Document(value))) = entries.next_entry::<String, Document>()? {
                    table.push((Value::from(key), value));
                }
                Ok(Document(Value::Map(Map::new(MapKind::Linked, table))))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

fn from_number(number: &JsonNumber, integers: Integers) -> Value {
    let Some(long) = number.as_i64() else { return number.as_f64().map_or(Value::Null, Value::Double) };
    match i32::try_from(long) {
        Ok(int) if integers == Integers::BySize => Value::Int(int),
        _ => Value::Long(long),
    }
}

/// A value as JSON; NaN and the infinities become text, keys their text form, objects their kind. A map of which two keys have the same text form is a
/// list of pairs. None where they are too large or nested too deep.
pub fn to_json(value: &Value) -> Option<Json> {
    to_json_within(value, &mut Fuel::new(LARGEST)).ok()
}

/// Like [`to_json`], at the cost of a unit for each value and each 16 bytes of text.
pub(crate) fn to_json_within(value: &Value, fuel: &mut Fuel) -> Result<Json, Unwritable> {
    write(value, DEPTH, fuel)
}

/// The text form of a value that is no container of text, such as a key.
fn written(value: &Value, fuel: &mut Fuel) -> Result<String, Unwritable> {
    let mut pay = |text: &str| fuel.burn(text.len() as u64 / 16).ok_or(Unwritable::TooLarge);
    if let Value::Text(text) = value {
        pay(text)?;
        return Ok(text.as_str().to_owned());
    }
    let text = value.to_string();
    pay(&text)?;
    Ok(text)
}

/// Whether different keys have one text, as 1 and '1' do. Texts alone never look alike.
fn look_alike<'a>(keys: impl Iterator<Item = &'a Value> + Clone, fuel: &mut Fuel) -> Result<bool, Unwritable> {
    if keys.clone().all(|key| matches!(key, Value::Text(_))) {
        return Ok(false);
    }
    let mut seen = HashSet::new();
    for key in keys {
        if !seen.insert(written(key, fuel)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn write(value: &Value, depth: u32, fuel: &mut Fuel) -> Result<Json, Unwritable> {
    fuel.burn(1).ok_or(Unwritable::TooLarge)?;
    let inside = || depth.checked_sub(1).ok_or(Unwritable::TooDeep);
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Int(int) => Json::from(*int),
        Value::Long(long) => Json::from(*long),
        Value::Float(float) => from_double(f64::from(*float)),
        Value::Double(double) => from_double(*double),
        Value::List(list) => {
            let depth = inside()?;
            Json::Array(list.read().iter().map(|item| write(item, depth, fuel)).collect::<Result<_, _>>()?)
        }
        Value::Set(set) => {
            let depth = inside()?;
            Json::Array(set.read().iter().map(|item| write(item, depth, fuel)).collect::<Result<_, _>>()?)
        }
        Value::Map(map) => {
            let depth = inside()?;
            let table = map.read();
            if look_alike(table.keys(), fuel)? {
                let pair = |(key, value)| Ok(Json::Array(vec![write(key, depth, fuel)?, write(value, depth, fuel)?]));
                return table.iter().map(pair).collect::<Result<_, _>>().map(Json::Array);
            }
            let mut object = JsonMap::new();
            for (key, value) in table.iter() {
                object.insert(written(key, fuel)?, write(value, depth, fuel)?);
            }
            Json::Object(object)
        }
        Value::Text(_) | Value::Char(_) | Value::Lambda(_) | Value::Object(_) => Json::String(written(value, fuel)?),
    })
}

fn from_double(double: f64) -> Json {
    JsonNumber::from_f64(double).map_or_else(|| Json::String(super::double_text(double)), Json::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_of_keys_that_look_alike_are_written_once_however_deep_they_are() {
        let nested = (0..40).fold(Value::Null, |inner, _| {
            Value::Map(Map::new(MapKind::Hash, [(Value::Int(1), inner), (Value::from("1"), Value::Null)]))
        });
        let mut fuel = Fuel::new(1_000);
        assert!(to_json_within(&nested, &mut fuel).is_ok());
    }

    #[test]
    fn the_order_of_the_text_and_every_digit_are_kept() {
        assert_eq!(parse_json(r#"{"b":1,"a":{"z":0.1,"y":[]}}"#).unwrap().to_string(), "{b=1, a={z=0.1, y=[]}}");
        assert_eq!(parse_json("105.66772042315961").unwrap(), Value::Double(105.667_720_423_159_61));
    }

    #[test]
    fn a_text_that_is_shared_many_times_is_written_only_so_often() {
        let text = Value::from("x".repeat(100_000));
        let vast = (0..20).fold(text, |inner, _| Value::list([inner.clone(), inner]));
        assert!(to_json(&vast).is_none());
        let keyed = Value::Map(Map::new(MapKind::Hash, [(vast, Value::Null)]));
        assert!(to_json(&keyed).is_some(), "the text of a key is cut");
    }

    #[test]
    fn a_map_with_keys_of_one_text_form_keeps_both() {
        let map = |keys: [Value; 2]| Value::Map(Map::new(MapKind::Linked, keys.map(|key| (key, Value::Null))));
        assert_eq!(to_json(&map([1.into(), 2.into()])).unwrap().to_string(), r#"{"1":null,"2":null}"#);
        assert_eq!(to_json(&map([1.into(), "1".into()])).unwrap().to_string(), r#"[[1,null],["1",null]]"#);
    }

    #[test]
    fn what_can_not_be_written_says_why() {
        let doubled = (0..30).fold(Value::Null, |inner, _| Value::list([inner.clone(), inner]));
        assert_eq!(to_json_within(&doubled, &mut Fuel::new(LARGEST)), Err(Unwritable::TooLarge));
        let deep = (0..DEPTH + 1).fold(Value::Null, |inner, _| Value::list([inner]));
        assert_eq!(to_json_within(&deep, &mut Fuel::new(LARGEST)), Err(Unwritable::TooDeep));
    }

    #[test]
    fn what_stands_behind_a_value_does_not_matter() {
        for text in ["[1] x", "{}}", "true,", "1 2", " 7 ", "\"a\"b"] {
            assert!(parse_json(text).is_ok(), "{text}");
        }
        for text in ["123, 456", "1x", "", "[", "1]", "nul", "01"] {
            assert!(parse_json(text).is_err(), "{text}");
        }
    }

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
