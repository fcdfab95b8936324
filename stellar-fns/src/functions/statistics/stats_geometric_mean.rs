//! `STATS_GEOMETRIC_MEAN`: the geometric mean, of a window only.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsGeometricMean;

static DOC: Doc = Doc {
    name: "STATS_GEOMETRIC_MEAN",
    summary: "The geometric mean, of a window only.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_GEOMETRIC_MEAN(STATS_ADD(STATS_INIT(100), [2, 8]))", "4.0"),
        gives("STATS_GEOMETRIC_MEAN(null)", "NaN"),
        fails("STATS_GEOMETRIC_MEAN('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsGeometricMean {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| summary.geometric_mean())
    }
}
