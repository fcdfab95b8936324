//! `STATS_SUM`: the sum.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsSum;

static DOC: Doc = Doc {
    name: "STATS_SUM",
    summary: "The sum.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_SUM(STATS_ADD(STATS_INIT(), [1, 2, 3]))", "6.0"),
        gives("STATS_SUM(null)", "NaN"),
        fails("STATS_SUM('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsSum {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| Ok(summary.sum()))
    }
}
