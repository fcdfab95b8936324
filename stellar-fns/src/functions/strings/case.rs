//! The other case of a value's text form.

use crate::function::{Arguments, Context, Outcome};
use crate::value::{Text, Value};

/// The text form of the first argument, changed; null for null.
pub(super) fn changed(arguments: &Arguments<'_>, context: &mut Context<'_>, change: fn(&Text) -> Text) -> Outcome {
    let value = arguments.at(0)?;
    if value.is_null() {
        return Ok(Value::Null);
    }
    let text = context.text_of(value)?;
    context.spend_text(text.len())?;
    let changed = change(&text);
    // Some letters are longer in the other case.
    context.check_text(changed.len())?;
    Ok(Value::Text(changed))
}
