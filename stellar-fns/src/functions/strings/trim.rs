//! `TRIM`: the text form of a value without blanks and control characters at both ends.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct Trim;

static DOC: Doc = Doc {
    name: "TRIM",
    summary: "The text form of a value without blanks and control characters at both ends.",
    parameters: &[needs("value", "any value")],
    returns: "a text, null for null",
    examples: &[gives("TRIM('  a b\\t')", "'a b'"), gives("TRIM(null)", "null")],
    purity: Purity::Pure,
};

impl Function for Trim {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        match arguments.at(0)? {
            Value::Null => Ok(Value::Null),
            value => Ok(Value::text(context.text_of(value)?.trim_matches(|char| char <= ' '))),
        }
    }
}
