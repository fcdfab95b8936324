//! `STATS_SUM_SQUARES`: the sum of the squares.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsSumSquares;

static DOC: Doc = Doc {
    name: "STATS_SUM_SQUARES",
    summary: "The sum of the squares.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_SUM_SQUARES(STATS_ADD(STATS_INIT(), [1, 2]))", "5.0"),
        gives("STATS_SUM_SQUARES(null)", "NaN"),
        fails("STATS_SUM_SQUARES('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsSumSquares {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| Ok(summary.sum_squares()))
    }
}
