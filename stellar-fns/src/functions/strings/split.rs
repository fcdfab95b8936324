//! `SPLIT`: the parts of a text between delimiters. Empty parts are kept.

use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct Split;

static DOC: Doc = Doc {
    name: "SPLIT",
    summary: "The parts of a text between delimiters. Empty parts are kept.",
    parameters: &[
        needs("text", "the text; other values count by their text form"),
        needs("delimiter", "what stands between the parts, literally"),
    ],
    returns: "a list of texts; an empty list for null",
    examples: &[
        gives("SPLIT('a.b..c', '.')", "['a', 'b', '', 'c']"),
        gives("SPLIT('', ',')", "['']"),
        gives("SPLIT(12321, '2')", "['1', '3', '1']"),
        gives("SPLIT(null, ',')", "[]"),
        fails("SPLIT('ab', '')"),
    ],
    purity: Purity::Pure,
};

impl Function for Split {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let Some(text) = arguments.nullable_text_form(0, context)? else { return Ok(Value::list([])) };
        let delimiter = arguments.text(1)?;
        if delimiter.is_empty() {
            return Err(Fault::argument("the delimiter is empty"));
        }
        context.spend(text.len())?;
        Ok(Value::list(text.split(delimiter).map(Value::text)))
    }
}
