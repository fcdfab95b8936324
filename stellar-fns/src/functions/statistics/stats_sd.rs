//! `STATS_SD`: the standard deviation of a sample.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsSd;

static DOC: Doc = Doc {
    name: "STATS_SD",
    summary: "The standard deviation of a sample.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_SD(STATS_ADD(STATS_INIT(), [2, 4, 6]))", "2.0"),
        gives("STATS_SD(null)", "NaN"),
        fails("STATS_SD('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsSd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| Ok(summary.standard_deviation()))
    }
}
