//! `TO_INTEGER`: a value as an int: text must be a plain literal, numbers are cut.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::int_of;

/// See [`DOC`].
pub(crate) struct ToInteger;

static DOC: Doc = Doc {
    name: "TO_INTEGER",
    summary: "A value as an int: text must be a plain literal, numbers are cut.",
    parameters: &[needs("value", "a number, text, boolean, or a list with one of them first")],
    returns: "an int, or null if it can't be one",
    examples: &[
        gives("TO_INTEGER('12')", "12"),
        gives("TO_INTEGER(12.7)", "12"),
        gives("TO_INTEGER('12.7')", "null"),
        gives("TO_INTEGER(3000000000L)", "null"),
        gives("TO_INTEGER(null)", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for ToInteger {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        Ok(int_of(arguments.at(0)?).into())
    }
}
