//! `GET_LAST`: the last item of a list.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct GetLast;

static DOC: Doc = Doc {
    name: "GET_LAST",
    summary: "The last item of a list.",
    parameters: &[needs("list", "the list")],
    returns: "the item; null for an empty list",
    examples: &[gives("GET_LAST(['a', 'b'])", "'b'"), gives("GET_LAST([])", "null")],
    purity: Purity::Pure,
};

impl Function for GetLast {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Value::List(list) = arguments.at(0)? else { return Err(arguments.wrong(0, "a list")) };
        Ok(list.read().last().cloned().unwrap_or_default())
    }
}
