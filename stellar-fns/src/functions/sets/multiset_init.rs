//! `MULTISET_INIT`: a new multiset: a map from item to how often it was added.

use super::multiset::{add, empty};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct MultisetInit;

static DOC: Doc = Doc {
    name: "MULTISET_INIT",
    summary: "A new multiset: a map from item to how often it was added.",
    parameters: &[takes("items", "a list or set with what is in it")],
    returns: "a map",
    examples: &[
        gives("MULTISET_INIT([1, 2, 1])", "{1 : 2, 2 : 1}"),
        gives("MULTISET_INIT()", "{}"),
        fails("MULTISET_INIT({'a' : 1})"),
    ],
    purity: Purity::Pure,
};

impl Function for MultisetInit {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let multiset = empty();
        if arguments.is_empty() {
            return Ok(Value::Map(multiset));
        }
        for item in arguments.list_or_set(0, context)?.into_iter().flatten() {
            context.spend(1)?;
            context.spend_key(&item)?;
            add(&multiset, item, 1)?;
        }
        Ok(Value::Map(multiset))
    }
}
