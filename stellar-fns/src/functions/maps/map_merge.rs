//! `MAP_MERGE`: a new map with the entries of several; a later one wins.

use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::{Map, MapKind, Value};

/// See [`DOC`].
pub(crate) struct MapMerge;

static DOC: Doc = Doc {
    name: "MAP_MERGE",
    summary: "A new map with the entries of several; a later one wins.",
    parameters: &[takes("maps", "a list of maps; nulls in it are skipped")],
    returns: "a map; a list of one map gives that map; null without an argument",
    examples: &[
        gives("MAP_MERGE([{'a' : 1, 'b' : 1}, null, {'b' : 2}])", "{'a' : 1, 'b' : 2}"),
        gives("MAP_MERGE([])", "{}"),
        fails("MAP_MERGE({'a' : 1})"),
        fails("MAP_MERGE(['a'])"),
    ],
    purity: Purity::Pure,
};

impl Function for MapMerge {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        if arguments.is_empty() {
            return Ok(Value::Null);
        }
        let Some(items) = arguments.list_or_set(0, context)? else {
            return Ok(Value::Map(Map::new(MapKind::Hash, [])));
        };
        let mut maps = Vec::new();
        for item in items {
            match item {
                Value::Null => {}
                Value::Map(map) => maps.push(map),
                other => {
                    return Err(Fault::wrong_type(format!("the list holds a {}, not only maps", other.type_name())));
                }
            }
        }
        if let [only] = maps.as_slice() {
            return Ok(Value::Map(only.clone()));
        }
        let merged = Map::new(MapKind::Hash, []);
        for map in maps {
            context.spend(map.len())?;
            // Copied, so that nothing is locked while the other map is changed.
            let entries: Vec<_> = map.read().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            for (key, value) in entries {
                context.spend_key(&key)?;
                context.spend_copy(&value)?;
                merged.insert(key, value);
            }
        }
        Ok(Value::Map(merged))
    }
}
