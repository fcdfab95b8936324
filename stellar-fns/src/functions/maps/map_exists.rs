//! `MAP_EXISTS`: whether a map has a key.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct MapExists;

static DOC: Doc = Doc {
    name: "MAP_EXISTS",
    summary: "Whether a map has a key.",
    parameters: &[takes("key", "the key"), takes("map", "the map")],
    returns: "a boolean; false for fewer than two arguments, null, or what is no map",
    examples: &[
        gives("MAP_EXISTS('a', {'a' : null})", "true"),
        gives("MAP_EXISTS('b', {'a' : 1})", "false"),
        gives("MAP_EXISTS()", "false"),
    ],
    purity: Purity::Pure,
};

impl Function for MapExists {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let found = match (arguments.get(0), arguments.get(1)) {
            (Some(key), Some(Value::Map(map))) => {
                context.spend_key(key)?;
                map.read().contains_key(key)
            }
            _ => false,
        };
        Ok(Value::Bool(found))
    }
}
