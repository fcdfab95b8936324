//! `SET_INIT`: a new set.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::{Set, Value};

/// See [`DOC`].
pub(crate) struct SetInit;

static DOC: Doc = Doc {
    name: "SET_INIT",
    summary: "A new set.",
    parameters: &[takes("items", "a list or set with what is in it")],
    returns: "a set",
    examples: &[
        gives("SET_INIT([1, 2, 1])", "SET_ADD(null, 1, 2)"),
        gives("LENGTH(SET_INIT())", "0"),
        fails("SET_INIT({'a' : 1})"),
    ],
    purity: Purity::Pure,
};

impl Function for SetInit {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        if arguments.is_empty() {
            return Ok(Value::Set(Set::new([])));
        }
        let items = arguments.list_or_set(0, context)?.unwrap_or_default();
        context.spend_keys(&items)?;
        Ok(Value::Set(Set::new(items)))
    }
}
