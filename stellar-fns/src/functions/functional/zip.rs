//! `ZIP`: a list of lists: the first items of all, the second items of all, up to the end of the shortest.

use super::zipped::zip;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};

/// See [`DOC`].
pub(crate) struct Zip;

static DOC: Doc = Doc {
    name: "ZIP",
    summary: "A list of lists: the first items of all, the second items of all, up to the end of the shortest.",
    parameters: &[takes("lists…", "lists; what is no list is ignored")],
    returns: "a list",
    examples: &[gives("ZIP([1, 2], [3, 4, 5])", "[[1, 3], [2, 4]]"), gives("ZIP()", "[]")],
    purity: Purity::Pure,
};

impl Function for Zip {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        zip(arguments, context, |lengths| lengths.min())
    }
}
