//! `APPEND_IF_MISSING`: a text with a suffix, unless it ends with it or with an alternative.

use super::affix::unless_there;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};

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
        unless_there(arguments, context, |text, suffix| text.ends_with(suffix), |text, suffix| [text, suffix].concat())
    }
}
