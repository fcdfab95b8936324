//! Reading JSON, for the functions of this group.

use crate::error::Fault;
use crate::function::{Arguments, Context, Outcome};
use crate::value::{Value, parse_json};

/// The value that the first argument describes; null and empty text are given back.
pub(super) fn read(arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
    let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
    if text.is_empty() {
        return Ok(Value::text(""));
    }
    context.spend(text.len())?;
    parse_json(text).map_err(|error| Fault::argument(format!("not JSON: {error}")))
}
