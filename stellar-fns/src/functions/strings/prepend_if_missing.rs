//! `PREPEND_IF_MISSING`: a text with a prefix, unless it begins with it or with an alternative.

use super::affix::unless_there;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};

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
        unless_there(
            arguments,
            context,
            |text, prefix| text.starts_with(prefix),
            |text, prefix| [prefix, text].concat(),
        )
    }
}
