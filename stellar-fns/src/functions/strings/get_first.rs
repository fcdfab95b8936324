//! `GET_FIRST`: the first item of a list.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct GetFirst;

static DOC: Doc = Doc {
    name: "GET_FIRST",
    summary: "The first item of a list.",
    parameters: &[needs("list", "the list")],
    returns: "the item; null for an empty list",
    examples: &[gives("GET_FIRST(['a', 'b'])", "'a'"), gives("GET_FIRST([])", "null")],
    purity: Purity::Pure,
};

impl Function for GetFirst {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Value::List(list) = arguments.at(0)? else { return Err(arguments.wrong(0, "a list")) };
        Ok(list.get(0).unwrap_or_default())
    }
}
