//! `STATS_PERCENTILE`: the value below which a share of the values lies.

use super::state::statistics;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::{Value, double_of};

/// See [`DOC`].
pub(crate) struct StatsPercentile;

static DOC: Doc = Doc {
    name: "STATS_PERCENTILE",
    summary: "The value below which a share of the values lies: estimated, or exact with a window.",
    parameters: &[needs("statistics", "what STATS_INIT made"), needs("percent", "the share, from 0 to 100")],
    returns: "a double; NaN for null, and without values",
    examples: &[
        gives("STATS_PERCENTILE(STATS_ADD(STATS_INIT(), [10, 20, 30]), 50)", "20.0"),
        gives("STATS_PERCENTILE(STATS_ADD(STATS_INIT(9), [10, 20, 30]), 100)", "30.0"),
        gives("STATS_PERCENTILE(STATS_INIT(), 50)", "NaN"),
        gives("STATS_PERCENTILE(null, 50)", "NaN"),
        fails("STATS_PERCENTILE(STATS_INIT(), 101)"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsPercentile {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let statistics = statistics(arguments, 0)?;
        let percent = double_of(arguments.at(1)?);
        let Some((statistics, percent)) = statistics.zip(percent) else { return Ok(Value::Double(f64::NAN)) };
        Ok(Value::Double(statistics.percentile(percent, context)?))
    }
}
