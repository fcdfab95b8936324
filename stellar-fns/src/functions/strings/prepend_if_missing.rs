//! `PREPEND_IF_MISSING`: a text with a prefix, unless it begins with it or with an alternative.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct PrependIfMissing;

static DOC: Doc = Doc {
    name: "PREPEND_IF_MISSING",
    summary: "A text with a prefix, unless it begins with it or with an alternative.",
    parameters: &[
        needs("text", "the text"),
        needs("prefix", "what is put in front"),
        takes("alternative", "another prefix that will do"),
    ],
    returns: "a text, null for null",
    examples: &[
        gives("PREPEND_IF_MISSING('abc', 'xyz')", "'xyzabc'"),
        gives("PREPEND_IF_MISSING('mnoabc', 'xyz', 'mno')", "'mnoabc'"),
        gives("PREPEND_IF_MISSING(null, 'xyz')", "null"),
        fails("PREPEND_IF_MISSING('abc')"),
    ],
    purity: Purity::Pure,
};

impl Function for PrependIfMissing {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(2, 3)?;
        let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        let Some(prefix) = arguments.nullable_text(1)?.filter(|prefix| !prefix.is_empty()) else {
            return Ok(Value::text(text));
        };
        let alternative = if arguments.len() > 2 { arguments.nullable_text(2)? } else { None };
        if text.starts_with(prefix) || alternative.is_some_and(|alternative| text.starts_with(alternative)) {
            return Ok(Value::text(text));
        }
        context.spend_text(text.len() + prefix.len())?;
        Ok(Value::from([prefix, text].concat()))
    }
}
