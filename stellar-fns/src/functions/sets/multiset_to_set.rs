//! `MULTISET_TO_SET`: the set of the items of a multiset.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::{Set, Value};

/// See [`DOC`].
pub(crate) struct MultisetToSet;

static DOC: Doc = Doc {
    name: "MULTISET_TO_SET",
    summary: "The set of the items of a multiset.",
    parameters: &[needs("multiset", "the multiset")],
    returns: "a set; an empty one for null",
    examples: &[
        gives("MULTISET_TO_SET(MULTISET_INIT([1, 2, 1]))", "SET_INIT([1, 2])"),
        gives("MULTISET_TO_SET(null)", "SET_INIT()"),
    ],
    purity: Purity::Pure,
};

impl Function for MultisetToSet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let Some(map) = arguments.nullable_map(0)? else { return Ok(Value::Set(Set::new([]))) };
        context.spend(map.len())?;
        let items: Vec<Value> = map.read().keys().cloned().collect();
        context.spend_keys(&items)?;
        Ok(Value::Set(Set::new(items)))
    }
}
