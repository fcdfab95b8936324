//! A check of every argument.

use crate::function::{Arguments, Context, Outcome};
use crate::value::Value;

/// Whether the text form of every argument passes; false for null and without arguments.
pub(super) fn every(arguments: &Arguments<'_>, context: &mut Context<'_>, passes: fn(&str) -> bool) -> Outcome {
    for value in arguments.iter() {
        if value.is_null() {
            return Ok(Value::Bool(false));
        }
        let text = context.text_of(value)?;
        context.spend(text.len() / 8)?;
        if !passes(&text) {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(!arguments.is_empty()))
}
