//! `MULTISET_ADD`: a multiset with items added, in place. Nulls are ignored.

use super::multiset::{add, changeable};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct MultisetAdd;

static DOC: Doc = Doc {
    name: "MULTISET_ADD",
    summary: "A multiset with items added, in place. Nulls are ignored.",
    parameters: &[needs("multiset", "what MULTISET_INIT made; null makes a new one"), takes("items…", "what to add")],
    returns: "the multiset",
    examples: &[
        gives("MULTISET_ADD(MULTISET_INIT([1]), 1, 2)", "{1 : 2, 2 : 1}"),
        gives("MULTISET_ADD(null, 1)", "{1 : 1}"),
        fails("MULTISET_ADD({1 : 1}, 1)"),
    ],
    purity: Purity::Pure,
};

impl Function for MultisetAdd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let multiset = changeable(arguments)?;
        let changed = Value::Map(multiset.clone());
        for item in arguments.iter().skip(1).filter(|item| !item.is_null()) {
            context.spend_key(item)?;
            let _turn = context.check_circle(item, &changed)?;
            add(&multiset, item.clone(), 1)?;
        }
        Ok(changed)
    }
}
