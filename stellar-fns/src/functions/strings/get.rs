//! `GET`: the item of a list at an index.

use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct Get;

static DOC: Doc = Doc {
    name: "GET",
    summary: "The item of a list at an index.",
    parameters: &[needs("list", "the list"), needs("index", "an int, from 0")],
    returns: "the item; null past the end",
    examples: &[
        gives("GET(['a', 'b'], 1)", "'b'"),
        gives("GET(['a'], 1)", "null"),
        fails("GET(['a'], -1)"),
        fails("GET(['a'], 0L)"),
    ],
    purity: Purity::Pure,
};

impl Function for Get {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Value::List(list) = arguments.at(0)? else { return Err(arguments.wrong(0, "a list")) };
        let Some(index) = arguments.nullable_int(1)? else { return Err(arguments.wrong(1, "an int")) };
        let index = usize::try_from(index).map_err(|_| Fault::argument(format!("index {index} is negative")))?;
        Ok(list.get(index).unwrap_or_default())
    }
}
