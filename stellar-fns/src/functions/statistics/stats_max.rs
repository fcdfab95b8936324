//! `STATS_MAX`: the greatest value.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsMax;

static DOC: Doc = Doc {
    name: "STATS_MAX",
    summary: "The greatest value.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_MAX(STATS_ADD(STATS_INIT(), [1, 2, 3]))", "3.0"),
        gives("STATS_MAX(null)", "NaN"),
        fails("STATS_MAX('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsMax {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| Ok(summary.max()))
    }
}
