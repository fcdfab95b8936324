//! `ENDS_WITH`: whether a text ends with another.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct EndsWith;

static DOC: Doc = Doc {
    name: "ENDS_WITH",
    summary: "Whether a text ends with another.",
    parameters: &[needs("text", "the text"), needs("suffix", "what it may end with")],
    returns: "a boolean; false if either is null",
    examples: &[gives("ENDS_WITH('casey', 'sey')", "true"), gives("ENDS_WITH('casey', null)", "false")],
    purity: Purity::Pure,
};

impl Function for EndsWith {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let (text, suffix) = (arguments.nullable_text(0)?, arguments.nullable_text(1)?);
        Ok(Value::Bool(text.zip(suffix).is_some_and(|(text, suffix)| text.ends_with(suffix))))
    }
}
