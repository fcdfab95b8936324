//! `STATS_KURTOSIS`: the kurtosis of a sample.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsKurtosis;

static DOC: Doc = Doc {
    name: "STATS_KURTOSIS",
    summary: "The kurtosis of a sample.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("ROUND(STATS_KURTOSIS(STATS_ADD(STATS_INIT(), [1, 2, 3, 4])) * 10)", "-12.0"),
        gives("STATS_KURTOSIS(null)", "NaN"),
        fails("STATS_KURTOSIS('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsKurtosis {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| Ok(summary.kurtosis()))
    }
}
