//! `LENGTH`: how many UTF-16 units a text has, or how many items a list, set or map.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};
use crate::value::{Value, utf16_len};

/// See [`DOC`].
pub(crate) struct Length;

static DOC: Doc = Doc {
    name: "LENGTH",
    summary: "How many UTF-16 units a text has, or how many items a list, set or map.",
    parameters: &[takes("value", "any value")],
    returns: "an int; 0 for null, for other values and without an argument",
    examples: &[
        gives("LENGTH('abc')", "3"),
        gives("LENGTH('😀')", "2"),
        gives("LENGTH([1, 2])", "2"),
        gives("LENGTH(5)", "0"),
        gives("LENGTH()", "0"),
    ],
    purity: Purity::Pure,
};

impl Function for Length {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let length = match arguments.or_null(0) {
            Value::Text(text) => utf16_len(text),
            Value::List(list) => list.len(),
            Value::Set(set) => set.len(),
            Value::Map(map) => map.len(),
            _ => 0,
        };
        Ok(Value::Int(i32::try_from(length).unwrap_or(i32::MAX)))
    }
}
