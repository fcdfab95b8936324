//! `SET_ADD`: a set with items added, in place. Nulls are ignored.

use super::changeable::changeable;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct SetAdd;

static DOC: Doc = Doc {
    name: "SET_ADD",
    summary: "A set with items added, in place. Nulls are ignored.",
    parameters: &[needs("set", "the set; null makes a new one"), takes("items…", "what to add")],
    returns: "the set",
    examples: &[gives("SET_ADD(SET_INIT([1]), 2, null)", "SET_INIT([1, 2])"), fails("SET_ADD([1], 2)")],
    purity: Purity::Pure,
};

impl Function for SetAdd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let set = changeable(arguments)?;
        let changed = Value::Set(set.clone());
        for item in arguments.iter().skip(1).filter(|item| !item.is_null()) {
            context.spend_key(item)?;
            let _turn = context.check_circle(item, &changed)?;
            set.insert(item.clone());
        }
        Ok(changed)
    }
}
