//! `STATS_SUM_LOGS`: the sum of the natural logarithms of the values. A window doesn't have it.

use super::state::statistics;
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct StatsSumLogs;

static DOC: Doc = Doc {
    name: "STATS_SUM_LOGS",
    summary: "The sum of the natural logarithms of the values.",
    parameters: &[needs("statistics", "what STATS_INIT made, without a window")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_SUM_LOGS(STATS_ADD(STATS_INIT(), [1, 1]))", "0.0"),
        gives("STATS_SUM_LOGS(null)", "NaN"),
        fails("STATS_SUM_LOGS(STATS_INIT(9))"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsSumLogs {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Some(statistics) = statistics(arguments, 0)? else { return Ok(Value::Double(f64::NAN)) };
        let no_sum = || Fault::argument("a window has no sum of logs; make the statistics with STATS_INIT()");
        statistics.sum_of_logs().map(Value::Double).ok_or_else(no_sum)
    }
}
