//! `STATS_SD`: the sample standard deviation of the values.

use super::state::measure;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsSd;

static DOC: Doc = Doc {
    name: "STATS_SD",
    summary: "The sample standard deviation of the values.",
    parameters: &[needs("statistics", "what STATS_INIT made")],
    returns: "a double; NaN for null",
    examples: &[gives("STATS_SD(STATS_ADD(STATS_INIT(), [1, 3, 5]))", "2.0"), gives("STATS_SD(null)", "NaN")],
    purity: Purity::Pure,
};

impl Function for StatsSd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        measure(arguments, context, |state| state.variance().sqrt(), |state| state.variance().sqrt())
    }
}
