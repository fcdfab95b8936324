//! An event on its way through the pipeline: named values in order, read from and written as JSON.
//!
//! It is also one layer of the variables that expressions see ([`crate::expression`]). What the fields mean is left to the stages.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use stellar_fns::Value;
use stellar_fns::value::{Map, MapKind, Text, ValueHasher, double_text, to_json};

/// Fields in order of insertion.
#[derive(Clone, Debug, Default)]
pub struct Message(IndexMap<Text, Value, ValueHasher>);

impl Message {
    /// The fields of a JSON object.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// Its fields as a JSON object on one line.
    pub fn to_json(&self) -> Vec<u8> {
        // Writing to memory fails only for keys that are no text, and all of these are.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// No fields, and room for so many.
    pub fn with_room(fields: usize) -> Self {
        Self(IndexMap::with_capacity_and_hasher(fields, ValueHasher::default()))
    }

    /// The value of a field; null where it is null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Whether there is such a field, be it null.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Sets a field; one that is there keeps its place.
    pub fn set(&mut self, name: impl Into<Text>, value: Value) {
        self.0.insert(name.into(), value);
    }

    /// Sets a field that isn't there.
    pub fn set_if_absent(&mut self, name: &str, value: impl FnOnce() -> Value) {
        if !self.has(name) {
            self.0.insert(Text::new(name), value());
        }
    }

    /// Takes a field out; the others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name)
    }

    /// Keeps the fields for which this holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        self.0.retain(|name, value| keep(name, value));
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Value)> {
        self.0.iter()
    }

    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<Text>> FromIterator<(N, Value)> for Message {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl Extend<(Text, Value)> for Message {
    fn extend<I: IntoIterator<Item = (Text, Value)>>(&mut self, fields: I) {
        self.0.extend(fields);
    }
}

impl IntoIterator for Message {
    type Item = (Text, Value);
    type IntoIter = indexmap::map::IntoIter<Text, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name.as_str(), &AsJson(value))?;
        }
        map.end()
    }
}

/// A value that is written as JSON. What is too large or too deep for it is written as null.
pub(crate) struct AsJson<'a>(pub(crate) &'a Value);

impl Serialize for AsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            Value::Int(int) => serializer.serialize_i32(*int),
            Value::Long(long) => serializer.serialize_i64(*long),
            Value::Double(double) if double.is_finite() => serializer.serialize_f64(*double),
            Value::Double(double) => serializer.serialize_str(&double_text(*double)),
            Value::Text(text) => serializer.serialize_str(text),
            other => to_json(other).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Message;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Message, A::Error> {
                let mut message = Message::default();
                while let Some((name, value)) = map.next_entry::<String, FromJson>()? {
                    message.0.insert(name.into(), value.0);
                }
                Ok(message)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A value read from JSON: whole numbers become ints where they fit, else longs; maps keep their order.
pub(crate) struct FromJson(pub(crate) Value);

impl<'de> Deserialize<'de> for FromJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any).map(Self)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Value, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E>(self, long: i64) -> Result<Value, E> {
        Ok(i32::try_from(long).map_or(Value::Long(long), Value::Int))
    }

    #[expect(clippy::cast_precision_loss, reason = "a number beyond a long is the nearest double")]
    fn visit_u64<E: serde::de::Error>(self, whole: u64) -> Result<Value, E> {
        match i64::try_from(whole) {
            Ok(long) => self.visit_i64(long),
            Err(_) => Ok(Value::Double(whole as f64)),
        }
    }

    fn visit_f64<E>(self, double: f64) -> Result<Value, E> {
        Ok(Value::Double(double))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(FromJson(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::list(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((name, FromJson(value))) = map.next_entry::<String, FromJson>()? {
            entries.push((Value::from(name), value));
        }
        Ok(Value::Map(Map::new(MapKind::Linked, entries)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_back_as_it_was_in_order() {
        let text = r#"{"z":1,"a":null,"m":{"k":[1,2.5,"x",true]},"long":3000000000}"#;
        let message = Message::from_json(text.as_bytes()).unwrap();
        assert_eq!(message.to_json(), text.as_bytes());
        assert!(message.has("a") && message.get("b").is_none());
        assert!(matches!(message.get("long"), Some(Value::Long(3_000_000_000))));
        assert!(Message::from_json(b"[1]").is_err());
    }

    #[test]
    fn what_json_has_no_word_for_is_text() {
        let message = Message::from_iter([("a", Value::Double(f64::NEG_INFINITY)), ("b", Value::Double(f64::NAN))]);
        assert_eq!(message.to_json(), br#"{"a":"-Infinity","b":"NaN"}"#);
    }
}
