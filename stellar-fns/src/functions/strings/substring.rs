//! `SUBSTRING`: a part of a text, by UTF-16 index.

use crate::error::Fault;
use crate::function::slice_utf16;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::value::{Value, utf16_len};

/// See [`DOC`].
pub(crate) struct Substring;

static DOC: Doc = Doc {
    name: "SUBSTRING",
    summary: "A part of a text, by UTF-16 index.",
    parameters: &[
        needs("text", "the text"),
        needs("start", "where the part begins, from 0"),
        takes("end", "where it ends; without it, or with null, at the end of the text"),
    ],
    returns: "a text; null if the text or the start is null",
    examples: &[
        gives("SUBSTRING('apache metron', 7, 9)", "'me'"),
        gives("SUBSTRING('apache', 3)", "'che'"),
        gives("SUBSTRING('apache', 3L, 4.9)", "'c'"),
        gives("SUBSTRING('', 3, 9)", "''"),
        gives("SUBSTRING(null, 1)", "null"),
        fails("SUBSTRING('ab', 1, 5)"),
    ],
    purity: Purity::Pure,
};

impl Function for Substring {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        let Some(start) = arguments.nullable_int_value(1)? else { return Ok(Value::Null) };
        let end = if arguments.len() > 2 { arguments.nullable_int_value(2)? } else { None };
        if text.is_empty() {
            return Ok(Value::text(""));
        }
        let length = i32::try_from(utf16_len(text)).unwrap_or(i32::MAX);
        let end = end.unwrap_or(length);
        if start < 0 || end < start || end > length {
            return Err(Fault::argument(format!("from {start} to {end} is not within a text of length {length}")));
        }
        context.spend_text(text.len())?;
        let index = |index: i32| usize::try_from(index).unwrap_or(0);
        Ok(Value::Text(slice_utf16(text, index(start), index(end))))
    }
}
