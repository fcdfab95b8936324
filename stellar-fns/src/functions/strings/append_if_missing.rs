//! `APPEND_IF_MISSING`: a text with a suffix, unless it ends with it or with an alternative.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct AppendIfMissing;

static DOC: Doc = Doc {
    name: "APPEND_IF_MISSING",
    summary: "A text with a suffix, unless it ends with it or with an alternative.",
    parameters: &[
        needs("text", "the text"),
        needs("suffix", "what is put behind"),
        takes("alternative", "another suffix that will do"),
    ],
    returns: "a text, null for null",
    examples: &[
        gives("APPEND_IF_MISSING('abc', 'xyz')", "'abcxyz'"),
        gives("APPEND_IF_MISSING('abcmno', 'xyz', 'mno')", "'abcmno'"),
        gives("APPEND_IF_MISSING(null, null, null)", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for AppendIfMissing {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(2, 3)?;
        let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        let Some(suffix) = arguments.nullable_text(1)?.filter(|suffix| !suffix.is_empty()) else {
            return Ok(Value::text(text));
        };
        let alternative = if arguments.len() > 2 { arguments.nullable_text(2)? } else { None };
        if text.ends_with(suffix) || alternative.is_some_and(|alternative| text.ends_with(alternative)) {
            return Ok(Value::text(text));
        }
        context.spend_text(text.len() + suffix.len())?;
        Ok(Value::from([text, suffix].concat()))
    }
}
