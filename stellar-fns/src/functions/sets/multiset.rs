//! Multisets are linked maps from item to count; the functions that change one refuse any other map, as the original's cast does.

use crate::error::Fault;
use crate::function::Arguments;
use crate::value::{Map, MapKind, Value};

/// A new multiset.
pub(super) fn empty() -> Map {
    Map::new(MapKind::Linked, [])
}

/// The first argument as a multiset that may be changed; null is a new one.
pub(super) fn changeable(arguments: &Arguments<'_>) -> Result<Map, Fault> {
    match arguments.at(0)? {
        Value::Null => Ok(empty()),
        Value::Map(map) if map.kind() == MapKind::Linked => Ok(map.clone()),
        _ => Err(arguments.wrong(0, "what MULTISET_INIT makes")),
    }
}

/// Counts an item this many times more.
pub(super) fn add(multiset: &Map, item: Value, times: i32) -> Result<(), Fault> {
    count(multiset, item, |before| Some(before.wrapping_add(times)))
}

/// Counts an item once less.
pub(super) fn remove(multiset: &Map, item: &Value) -> Result<(), Fault> {
    count(multiset, item.clone(), |before| Some(before.wrapping_sub(1)).filter(|left| *left > 0))
}

fn count(multiset: &Map, item: Value, change: impl FnOnce(i32) -> Option<i32>) -> Result<(), Fault> {
    let mut countable = true;
    multiset.update(item, |before| match before {
        None => change(0).map(Value::Int),
        Some(Value::Int(before)) => change(*before).map(Value::Int),
        Some(other) => {
            countable = false;
            Some(other.clone())
        }
    });
    if countable { Ok(()) } else { Err(Fault::wrong_type("a count is no int; this map is no multiset")) }
}
