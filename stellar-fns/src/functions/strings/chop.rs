//! `CHOP`: a text without its last character; a line end of two characters counts as one.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct Chop;

static DOC: Doc = Doc {
    name: "CHOP",
    summary: "A text without its last character; a line end of two characters counts as one.",
    parameters: &[needs("text", "the text")],
    returns: "a text, null for null",
    examples: &[
        gives("CHOP('abc')", "'ab'"),
        gives("CHOP('abc\\r\\n')", "'abc'"),
        gives("CHOP('')", "''"),
        fails("CHOP()"),
    ],
    purity: Purity::Pure,
};

impl Function for Chop {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        let chopped = text.strip_suffix("\r\n").unwrap_or_else(|| {
            let mut chars = text.chars();
            chars.next_back();
            chars.as_str()
        });
        Ok(Value::text(chopped))
    }
}
