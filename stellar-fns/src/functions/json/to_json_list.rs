//! `TO_JSON_LIST`: the list that a JSON text describes.

use super::read::read;
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct ToJsonList;

static DOC: Doc = Doc {
    name: "TO_JSON_LIST",
    summary: "The list that a JSON text describes.",
    parameters: &[needs("json", "the text of a JSON array")],
    returns: "the list; null for null",
    examples: &[gives("TO_JSON_LIST('[1, \"a\"]')", "[1, 'a']"), fails("TO_JSON_LIST('{}')")],
    purity: Purity::Pure,
};

impl Function for ToJsonList {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let given = arguments.or_null(0).as_text().unwrap_or_default();
        match read(arguments, context)? {
            value @ Value::List(_) => Ok(value),
            value if given.is_empty() => Ok(value),
            _ => Err(Fault::argument("this JSON is no array")),
        }
    }
}
