//! `MAP_PUT`: a map with a value under a key, changed in place.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::{Map, MapKind, Value};

/// See [`DOC`].
pub(crate) struct MapPut;

static DOC: Doc = Doc {
    name: "MAP_PUT",
    summary: "A map with a value under a key, changed in place.",
    parameters: &[needs("key", "the key"), needs("value", "the value"), needs("map", "the map; null makes a new one")],
    returns: "the map",
    examples: &[
        gives("MAP_PUT('b', 2, {'a' : 1})", "{'a' : 1, 'b' : 2}"),
        gives("MAP_PUT('a', 1, null)", "{'a' : 1}"),
        fails("MAP_PUT('a', 1, ['b'])"),
    ],
    purity: Purity::Pure,
};

impl Function for MapPut {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let (key, value) = (arguments.at(0)?, arguments.at(1)?);
        let map = arguments.nullable_map(2)?.cloned().unwrap_or_else(|| Map::new(MapKind::Hash, []));
        context.spend_key(key)?;
        let changed = Value::Map(map.clone());
        let _turns = (context.check_circle(key, &changed)?, context.check_circle(value, &changed)?);
        map.insert(key.clone(), value.clone());
        Ok(changed)
    }
}
