//! `TO_JSON_OBJECT`: the value that a JSON text describes.

use super::read::read;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct ToJsonObject;

static DOC: Doc = Doc {
    name: "TO_JSON_OBJECT",
    summary: "The value that a JSON text describes.",
    parameters: &[needs("json", "the text")],
    returns: "the value; null for null, an empty text for an empty text",
    examples: &[
        gives("TO_JSON_OBJECT('{\"a\" : [1, 2.5, null]}')", "{'a' : [1, 2.5, null]}"),
        gives("TO_JSON_OBJECT(null)", "null"),
        fails("TO_JSON_OBJECT('{')"),
    ],
    purity: Purity::Pure,
};

impl Function for ToJsonObject {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        read(arguments, context)
    }
}
