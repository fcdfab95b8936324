//! `STATS_MEAN`: the mean.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsMean;

static DOC: Doc = Doc {
    name: "STATS_MEAN",
    summary: "The mean.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_MEAN(STATS_ADD(STATS_INIT(), [1, 2, 3]))", "2.0"),
        gives("STATS_MEAN(null)", "NaN"),
        fails("STATS_MEAN('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsMean {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| Ok(summary.mean()))
    }
}
