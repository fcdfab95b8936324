//! `STATS_SKEWNESS`: the skewness of a sample.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsSkewness;

static DOC: Doc = Doc {
    name: "STATS_SKEWNESS",
    summary: "The skewness of a sample.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_SKEWNESS(STATS_ADD(STATS_INIT(), [1, 2, 3]))", "0.0"),
        gives("STATS_SKEWNESS(null)", "NaN"),
        fails("STATS_SKEWNESS('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsSkewness {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| Ok(summary.skewness()))
    }
}
