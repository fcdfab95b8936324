//! `STATS_COUNT`: how many values there are.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsCount;

static DOC: Doc = Doc {
    name: "STATS_COUNT",
    summary: "How many values there are.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_COUNT(STATS_ADD(STATS_INIT(), [1, 2, 3]))", "3.0"),
        gives("STATS_COUNT(null)", "NaN"),
        fails("STATS_COUNT('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsCount {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| Ok(summary.count()))
    }
}
