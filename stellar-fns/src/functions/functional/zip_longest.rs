//! `ZIP_LONGEST`: a list of lists: the first items of all, the second items of all, up to the end of the longest; what lacks is null.

use super::zipped::zip;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};

/// See [`DOC`].
pub(crate) struct ZipLongest;

static DOC: Doc = Doc {
    name: "ZIP_LONGEST",
    summary: "A list of lists: the first items of all, the second items of all, up to the end of the longest; what lacks is null.",
    parameters: &[takes("lists…", "lists; what is no list is ignored")],
    returns: "a list",
    examples: &[
        gives("ZIP_LONGEST([1, 2], [3, 4, 5])", "[[1, 3], [2, 4], [null, 5]]"),
        gives("ZIP_LONGEST([], null)", "[]"),
    ],
    purity: Purity::Pure,
};

impl Function for ZipLongest {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        zip(arguments, context, |lengths| lengths.max())
    }
}
