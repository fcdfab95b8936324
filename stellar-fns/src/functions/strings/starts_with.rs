//! `STARTS_WITH`: whether a text begins with another.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct StartsWith;

static DOC: Doc = Doc {
    name: "STARTS_WITH",
    summary: "Whether a text begins with another.",
    parameters: &[needs("text", "the text"), needs("prefix", "what it may begin with")],
    returns: "a boolean; false if either is null",
    examples: &[
        gives("STARTS_WITH('casey', 'ca')", "true"),
        gives("STARTS_WITH(null, 'ca')", "false"),
        fails("STARTS_WITH('casey')"),
    ],
    purity: Purity::Pure,
};

impl Function for StartsWith {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let (text, prefix) = (arguments.nullable_text(0)?, arguments.nullable_text(1)?);
        Ok(Value::Bool(text.zip(prefix).is_some_and(|(text, prefix)| text.starts_with(prefix))))
    }
}
