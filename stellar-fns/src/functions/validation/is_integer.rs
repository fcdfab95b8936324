//! `IS_INTEGER`: whether values are whole numbers in the range of a long. Commas may group digits.

use super::every::every;
use super::whole::is_whole;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct IsInteger;

static DOC: Doc = Doc {
    name: "IS_INTEGER",
    summary: "Whether values are whole numbers in the range of a long. Commas may group digits.",
    parameters: &[needs("values…", "any values, by their text form")],
    returns: "a boolean; false for null",
    examples: &[
        gives("IS_INTEGER('1,000')", "true"),
        gives("IS_INTEGER(' -5 ')", "true"),
        gives("IS_INTEGER('1.0')", "false"),
        gives("IS_INTEGER(' ')", "false"),
    ],
    purity: Purity::Pure,
};

impl Function for IsInteger {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        every(arguments, context, is_whole)
    }
}
