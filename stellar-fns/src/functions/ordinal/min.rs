//! `MIN`: the least item of a list or set.

use std::cmp::Ordering;

use super::extreme::extreme;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct Min;

static DOC: Doc = Doc {
    name: "MIN",
    summary: "The least item of a list or set.",
    parameters: &[needs("items", "a list or set, of which nulls are skipped; or statistics")],
    returns: "the item with its own type; null if there is none",
    examples: &[
        gives("MIN(STATS_ADD(STATS_INIT(), [3, 1, 2]))", "1.0"),
        gives("MIN([3, 1, null, 2])", "1"),
        gives("MIN([10, 15L, 15.3])", "10"),
        gives("MIN([1.5, 1])", "1.5"),
    ],
    purity: Purity::Pure,
};

impl Function for Min {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        extreme(arguments, context, Ordering::Less)
    }
}
