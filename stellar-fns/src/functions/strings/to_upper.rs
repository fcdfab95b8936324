//! `TO_UPPER`: upper case of a value's text form.

use super::case::changed;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Text;

/// See [`DOC`].
pub(crate) struct ToUpper;

static DOC: Doc = Doc {
    name: "TO_UPPER",
    summary: "Upper case of a value's text form.",
    parameters: &[needs("value", "any value")],
    returns: "a text, null for null",
    examples: &[
        gives("TO_UPPER('casey')", "'CASEY'"),
        gives("TO_UPPER(true)", "'TRUE'"),
        gives("TO_UPPER(null)", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for ToUpper {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        changed(arguments, context, Text::to_uppercase)
    }
}
