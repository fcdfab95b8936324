//! `MULTISET_REMOVE`: a multiset with each item counted once less, in place; at 0 it is gone.

use super::multiset::{changeable, remove};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::value::{Turn, Value};

/// See [`DOC`].
pub(crate) struct MultisetRemove;

static DOC: Doc = Doc {
    name: "MULTISET_REMOVE",
    summary: "A multiset with each item counted once less, in place; at 0 it is gone.",
    parameters: &[
        needs("multiset", "what MULTISET_INIT made; null makes a new one"),
        takes("items…", "what to remove"),
    ],
    returns: "the multiset",
    examples: &[
        gives("MULTISET_REMOVE(MULTISET_INIT([1, 1, 2]), 1, 2)", "{1 : 1}"),
        gives("MULTISET_REMOVE(null, 1)", "{}"),
    ],
    purity: Purity::Pure,
};

impl Function for MultisetRemove {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let multiset = changeable(arguments)?;
        let changed = Value::Map(multiset.clone());
        for item in arguments.iter().skip(1).filter(|item| !item.is_null()) {
            context.spend_key(item)?;
            let _turn = Turn::to_put(item);
            if !context.reaches(item, &changed)? {
                remove(&multiset, item)?;
            }
        }
        Ok(changed)
    }
}
