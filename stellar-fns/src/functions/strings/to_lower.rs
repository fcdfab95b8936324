//! `TO_LOWER`: lower case of a value's text form.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct ToLower;

static DOC: Doc = Doc {
    name: "TO_LOWER",
    summary: "Lower case of a value's text form.",
    parameters: &[needs("value", "any value")],
    returns: "a text, null for null",
    examples: &[gives("TO_LOWER('Casey')", "'casey'"), fails("TO_LOWER()")],
    purity: Purity::Pure,
};

impl Function for ToLower {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let value = arguments.at(0)?;
        if value.is_null() {
            return Ok(Value::Null);
        }
        let text = context.text_of(value)?;
        context.spend_text(text.len())?;
        let changed = text.to_lowercase();
        context.check_text(changed.len())?;
        Ok(Value::Text(changed))
    }
}
