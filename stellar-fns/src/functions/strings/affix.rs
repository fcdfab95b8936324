//! What APPEND_IF_MISSING and PREPEND_IF_MISSING have in common.

use crate::function::{Arguments, Context, Outcome};
use crate::value::Value;

/// The text in the first argument, joined with the second unless it has that already, or has the third.
pub(super) fn unless_there(
    arguments: &Arguments<'_>,
    context: &mut Context<'_>,
    has: fn(&str, &str) -> bool,
    join: fn(&str, &str) -> String,
) -> Outcome {
    arguments.expect(2, 3)?;
    let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
    let Some(affix) = arguments.nullable_text(1)?.filter(|affix| !affix.is_empty()) else {
        return Ok(Value::text(text));
    };
    let alternative = if arguments.len() > 2 { arguments.nullable_text(2)? } else { None };
    if has(text, affix) || alternative.is_some_and(|alternative| has(text, alternative)) {
        return Ok(Value::text(text));
    }
    context.spend_text(text.len() + affix.len())?;
    Ok(Value::from(join(text, affix)))
}
