//! `TO_LONG`: a value as a long: text must be a plain literal, numbers are cut.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::long_of;

/// See [`DOC`].
pub(crate) struct ToLong;

static DOC: Doc = Doc {
    name: "TO_LONG",
    summary: "A value as a long: text must be a plain literal, numbers are cut.",
    parameters: &[needs("value", "a number, text, boolean, or a list with one of them first")],
    returns: "a long, or null if it can't be one",
    examples: &[gives("TO_LONG('12')", "12L"), gives("TO_LONG(1f)", "1L"), gives("TO_LONG('x')", "null")],
    purity: Purity::Pure,
};

impl Function for ToLong {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        Ok(long_of(arguments.at(0)?).into())
    }
}
