//! `TO_STRING`: the text form of a value, as Java writes it.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct ToString;

static DOC: Doc = Doc {
    name: "TO_STRING",
    summary: "The text form of a value, as Java writes it.",
    parameters: &[needs("value", "any value")],
    returns: "a text, null for null",
    examples: &[
        gives("TO_STRING(1.0)", "'1.0'"),
        gives("TO_STRING([1, 'a', null])", "'[1, a, null]'"),
        gives("TO_STRING({'a' : 1})", "'{a=1}'"),
        gives("TO_STRING(1e10)", "'1.0E10'"),
        gives("TO_STRING(null)", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for ToString {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        match arguments.at(0)? {
            Value::Null => Ok(Value::Null),
            value => context.text_of(value).map(Value::Text),
        }
    }
}
