//! `TO_LOWER`: lower case of a value's text form.

use super::case::changed;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Text;

/// See [`DOC`].
pub(crate) struct ToLower;

static DOC: Doc = Doc {
    name: "TO_LOWER",
    summary: "Lower case of a value's text form.",
    parameters: &[needs("value", "any value")],
    returns: "a text, null for null",
    examples: &[gives("TO_LOWER('Casey')", "'casey'"), fails("TO_LOWER()")],
    purity: Purity::Pure,
};

impl Function for ToLower {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        changed(arguments, context, Text::to_lowercase)
    }
}
