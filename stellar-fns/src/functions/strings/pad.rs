//! Padding, for FILL_LEFT and FILL_RIGHT.

use crate::error::Fault;
use crate::function::{Arguments, Context, Outcome};
use crate::value::{Text, Value, int_of, utf16_len};

/// On which side something is put.
pub(super) enum Side {
    Left,
    Right,
}

/// The text form of the first argument, filled with the second up to the length of the third.
pub(super) fn pad(arguments: &Arguments<'_>, context: &mut Context<'_>, side: Side) -> Outcome {
    arguments.expect(3, 3)?;
    if arguments.or_null(0).is_null() {
        return Ok(Value::Null);
    }
    let text = context.text_of(arguments.at(0)?)?;
    let fill = context.text_of(arguments.at(1)?)?;
    let fill = fill
        .chars()
        .next()
        .filter(|_| !arguments.or_null(1).is_null())
        .ok_or_else(|| Fault::argument("there is nothing to fill with"))?;
    let length = int_of(arguments.at(2)?).ok_or_else(|| arguments.wrong(2, "an int"))?;
    let missing = usize::try_from(length).unwrap_or(0).saturating_sub(utf16_len(&text));
    context.spend_text(text.len() + missing * fill.len_utf8())?;
    let filling: Text = std::iter::repeat_n(fill, missing).collect();
    Ok(Value::from(match side {
        Side::Left => [filling, text].concat(),
        Side::Right => [text, filling].concat(),
    }))
}
