//! `STATS_VARIANCE`: the variance of a sample.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsVariance;

static DOC: Doc = Doc {
    name: "STATS_VARIANCE",
    summary: "The variance of a sample.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_VARIANCE(STATS_ADD(STATS_INIT(), [2, 4, 6]))", "4.0"),
        gives("STATS_VARIANCE(null)", "NaN"),
        fails("STATS_VARIANCE('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsVariance {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| Ok(summary.variance()))
    }
}
