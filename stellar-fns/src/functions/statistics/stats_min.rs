//! `STATS_MIN`: the least value.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsMin;

static DOC: Doc = Doc {
    name: "STATS_MIN",
    summary: "The least value.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_MIN(STATS_ADD(STATS_INIT(), [1, 2, 3]))", "1.0"),
        gives("STATS_MIN(null)", "NaN"),
        fails("STATS_MIN('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsMin {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| Ok(summary.min()))
    }
}
