//! `STATS_SUM_LOGS`: the sum of the natural logarithms, of all values only.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsSumLogs;

static DOC: Doc = Doc {
    name: "STATS_SUM_LOGS",
    summary: "The sum of the natural logarithms, of all values only.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_SUM_LOGS(STATS_ADD(STATS_INIT(), [1, 1]))", "0.0"),
        gives("STATS_SUM_LOGS(null)", "NaN"),
        fails("STATS_SUM_LOGS('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsSumLogs {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| summary.sum_logs())
    }
}
