//! `STATS_PERCENTILE`: the value below which a share of the values lies; of all values an estimate.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::{Value, double_of};

/// See [`DOC`].
pub(crate) struct StatsPercentile;

static DOC: Doc = Doc {
    name: "STATS_PERCENTILE",
    summary: "The value below which a share of the values lies; of all values an estimate.",
    parameters: &[needs("statistics", "the statistics"), needs("percentile", "the share in percent, 0 to 100")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_PERCENTILE(STATS_ADD(STATS_INIT(100), [1, 2, 3]), 50)", "2.0"),
        gives("STATS_PERCENTILE(null, 50)", "NaN"),
        fails("STATS_PERCENTILE(STATS_INIT(), 101)"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsPercentile {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let percentile = match arguments.at(1)? {
            Value::Null => return Ok(Value::Double(f64::NAN)),
            value => double_of(value).ok_or_else(|| arguments.wrong(1, "a number"))?,
        };
        over(arguments, |summary| summary.percentile(percentile))
    }
}
