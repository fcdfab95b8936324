//! `CHOMP`: a text without one line end at its end.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct Chomp;

static DOC: Doc = Doc {
    name: "CHOMP",
    summary: "A text without one line end at its end.",
    parameters: &[needs("text", "the text")],
    returns: "a text, null for null",
    examples: &[
        gives("CHOMP('abc\\r\\n')", "'abc'"),
        gives("CHOMP('abc\\n\\n')", "'abc\\n'"),
        gives("CHOMP(null)", "null"),
        fails("CHOMP(123)"),
    ],
    purity: Purity::Pure,
};

impl Function for Chomp {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        let chomped = text.strip_suffix("\r\n").or_else(|| text.strip_suffix(['\n', '\r'])).unwrap_or(text);
        Ok(Value::text(chomped))
    }
}
