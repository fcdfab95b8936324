//! `SET_REMOVE`: a set with items removed, in place.

use super::changeable::changeable;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::value::{Turn, Value};

/// See [`DOC`].
pub(crate) struct SetRemove;

static DOC: Doc = Doc {
    name: "SET_REMOVE",
    summary: "A set with items removed, in place.",
    parameters: &[needs("set", "the set; null makes a new one"), takes("items…", "what to remove")],
    returns: "the set",
    examples: &[gives("SET_REMOVE(SET_INIT([1, 2]), 2)", "SET_INIT([1])"), gives("SET_REMOVE(null, 1)", "SET_INIT()")],
    purity: Purity::Pure,
};

impl Function for SetRemove {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let set = changeable(arguments)?;
        let changed = Value::Set(set.clone());
        for item in arguments.iter().skip(1).filter(|item| !item.is_null()) {
            context.spend_key(item)?;
            let _turn = Turn::to_put(item);
            if !context.reaches(item, &changed)? {
                set.remove(item);
            }
        }
        Ok(changed)
    }
}
