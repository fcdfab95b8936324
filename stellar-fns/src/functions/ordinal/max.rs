//! `MAX`: the greatest item of a list or set.

use std::cmp::Ordering;

use super::extreme::extreme;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct Max;

static DOC: Doc = Doc {
    name: "MAX",
    summary: "The greatest item of a list or set.",
    parameters: &[needs("items", "a list or set, of which nulls are skipped; or statistics")],
    returns: "the item with its own type; null if there is none",
    examples: &[
        gives("MAX(STATS_ADD(STATS_INIT(), [1, 3, 2]))", "3.0"),
        gives("MAX([1, 3, null, 2])", "3"),
        gives("MAX([10, 15L, 15.3])", "15.3"),
        gives("MAX([1, '5'])", "'5'"),
        gives("MAX([])", "null"),
        fails("MAX([[1], [2]])"),
    ],
    purity: Purity::Pure,
};

impl Function for Max {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        extreme(arguments, context, Ordering::Greater)
    }
}
