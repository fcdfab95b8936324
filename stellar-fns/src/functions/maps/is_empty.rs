//! `IS_EMPTY`: whether there is nothing in a value.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct IsEmpty;

static DOC: Doc = Doc {
    name: "IS_EMPTY",
    summary: "Whether there is nothing in a value.",
    parameters: &[takes("value", "any value")],
    returns: "true for null, an empty text, list, set or map, and without an argument",
    examples: &[
        gives("IS_EMPTY('')", "true"),
        gives("IS_EMPTY([])", "true"),
        gives("IS_EMPTY(' ')", "false"),
        gives("IS_EMPTY(0)", "false"),
    ],
    purity: Purity::Pure,
};

impl Function for IsEmpty {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let empty = match arguments.or_null(0) {
            Value::Null => true,
            Value::Text(text) => text.is_empty(),
            value => value.is_empty_container(),
        };
        Ok(Value::Bool(empty))
    }
}
