//! `STATS_QUADRATIC_MEAN`: the square root of the mean of squares, of a window only.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsQuadraticMean;

static DOC: Doc = Doc {
    name: "STATS_QUADRATIC_MEAN",
    summary: "The square root of the mean of squares, of a window only.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_QUADRATIC_MEAN(STATS_ADD(STATS_INIT(100), [1, 7]))", "5.0"),
        gives("STATS_QUADRATIC_MEAN(null)", "NaN"),
        fails("STATS_QUADRATIC_MEAN('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsQuadraticMean {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| summary.quadratic_mean())
    }
}
