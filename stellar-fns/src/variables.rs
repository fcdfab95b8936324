//! Where an expression's names get their values.
//!
//! A program knows its variables by slot; a caller that evaluates it often binds them once and uses [`Bound`]. [`Layers`] looks them up by name, as the
//! production resolver of the original does.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::value::{Map, MapKind, Text, TextKey, Value, ValueHasher};

/// Where names get their values. It must give the same answers during one evaluation.
pub trait Variables {
    /// The value of the variable in this slot of the program, which has this name; none if there is no such variable.
    fn get(&self, slot: usize, name: &str) -> Option<&Value>;

    /// All variables as a map: what `_` is.
    fn all(&self) -> Map;

    /// The values that lie ready by slot; [`Variables::get`] is asked only for slots beyond them.
    fn bound(&self) -> &[Value] {
        &[]
    }

    /// Whether a variable that isn't there is an error; otherwise it is null.
    fn strict(&self) -> bool {
        false
    }
}

/// Named values in order of insertion.
#[derive(Clone, Debug, Default)]
pub struct VariableMap(IndexMap<Value, Value, ValueHasher>);

impl VariableMap {
    /// The value under this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(&TextKey(name))
    }

    /// Sets a value.
    pub fn insert(&mut self, name: impl AsRef<str>, value: Value) {
        self.0.insert(Value::text(name), value);
    }

    /// Removes a name.
    pub fn remove(&mut self, name: &str) {
        self.0.shift_remove(&TextKey(name));
    }

    /// All names with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().filter_map(|(name, value)| Some((name.as_text()?, value)))
    }
}

impl<N: AsRef<str>> FromIterator<(N, Value)> for VariableMap {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(name, value)| (Value::text(name), value)).collect())
    }
}

/// Maps looked up one after the other: the first that has a value other than null wins; a name that none has is null.
#[derive(Clone, Debug, Default)]
pub struct Layers<'a>(Vec<&'a VariableMap>);

impl<'a> Layers<'a> {
    /// These maps, the first one first.
    pub fn new(maps: impl IntoIterator<Item = &'a VariableMap>) -> Self {
        Self(maps.into_iter().collect())
    }
}

impl Variables for Layers<'_> {
    fn get(&self, _: usize, name: &str) -> Option<&Value> {
        first_of(self.0.iter().copied(), name)
    }

    fn all(&self) -> Map {
        all_of(self.0.iter().copied())
    }
}

/// [`Layers`] that own their maps, for evaluations that outlive the place where they begin.
#[derive(Clone, Debug, Default)]
pub struct SharedLayers(Vec<Arc<VariableMap>>);

impl SharedLayers {
    /// These maps, the first one first.
    pub fn new(maps: impl IntoIterator<Item = Arc<VariableMap>>) -> Self {
        Self(maps.into_iter().collect())
    }
}

impl Variables for SharedLayers {
    fn get(&self, _: usize, name: &str) -> Option<&Value> {
        first_of(self.0.iter().map(|map| &**map), name)
    }

    fn all(&self) -> Map {
        all_of(self.0.iter().map(|map| &**map))
    }
}

/// The first value other than null.
fn first_of<'a>(maps: impl Iterator<Item = &'a VariableMap>, name: &str) -> Option<&'a Value> {
    let mut found = None;
    for map in maps {
        match map.get(name) {
            Some(Value::Null) => found = Some(&Value::Null),
            Some(value) => return Some(value),
            None => {}
        }
    }
    found
}

fn all_of<'a>(maps: impl Iterator<Item = &'a VariableMap>) -> Map {
    let all = Map::new(MapKind::Hash, []);
    for (name, value) in maps.flat_map(VariableMap::iter) {
        all.update(Value::text(name), |before| {
            Some(before.filter(|before| !before.is_null()).unwrap_or(value).clone())
        });
    }
    all
}

/// Values by slot, in the order of [`crate::Program::variables`]: the fastest way.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    names: &'a [Text],
    values: &'a [Value],
}

impl<'a> Bound<'a> {
    /// Values for these names, which are the program's; a value that lacks is a variable that isn't there.
    pub fn new(names: &'a [Text], values: &'a [Value]) -> Self {
        Self { names, values }
    }
}

impl Variables for Bound<'_> {
    fn get(&self, slot: usize, _: &str) -> Option<&Value> {
        self.values.get(slot)
    }

    fn all(&self) -> Map {
        Map::new(MapKind::Hash, self.names.iter().map(Value::text).zip(self.values.iter().cloned()))
    }

    fn bound(&self) -> &[Value] {
        self.values
    }
}

/// Makes a variable that isn't there an error.
#[derive(Clone, Debug)]
pub struct Strict<V>(pub V);

impl<V: Variables> Variables for Strict<V> {
    fn get(&self, slot: usize, name: &str) -> Option<&Value> {
        self.0.get(slot, name)
    }

    fn all(&self) -> Map {
        self.0.all()
    }

    fn bound(&self) -> &[Value] {
        self.0.bound()
    }

    fn strict(&self) -> bool {
        true
    }
}

/// Every variable is null: how an expression is validated.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllNull;

impl Variables for AllNull {
    fn get(&self, _: usize, _: &str) -> Option<&Value> {
        Some(&Value::Null)
    }

    fn all(&self) -> Map {
        Map::new(MapKind::Hash, [])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_map_with_a_value_other_than_null_wins() {
        let first = VariableMap::from_iter([("a", Value::Null), ("b", 1.into())]);
        let second = VariableMap::from_iter([("a", 2.into()), ("b", 3.into())]);
        let layers = Layers::new([&first, &second]);
        assert_eq!(layers.get(0, "a"), Some(&2.into()));
        assert_eq!(layers.get(0, "b"), Some(&1.into()));
        assert_eq!(layers.get(0, "c"), None);
        assert_eq!(layers.all().get_text("a"), Some(2.into()));
    }
}
