//! `MAP_GET`: the value of a map under a key.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};

/// See [`DOC`].
pub(crate) struct MapGet;

static DOC: Doc = Doc {
    name: "MAP_GET",
    summary: "The value of a map under a key.",
    parameters: &[
        needs("key", "the key"),
        needs("map", "the map"),
        takes("default", "what is given when there is no value"),
    ],
    returns: "the value; the default if it is absent or null",
    examples: &[
        gives("MAP_GET('a', {'a' : 1})", "1"),
        gives("MAP_GET('b', {'a' : 1}, 2)", "2"),
        gives("MAP_GET('a', null)", "null"),
        fails("MAP_GET('a', [1])"),
    ],
    purity: Purity::Pure,
};

impl Function for MapGet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let key = arguments.at(0)?;
        context.spend_key(key)?;
        let map = arguments.nullable_map(1)?;
        let found = map.filter(|_| !key.is_null()).and_then(|map| map.get(key)).filter(|value| !value.is_null());
        Ok(found.unwrap_or_else(|| arguments.or_null(2).clone()))
    }
}
