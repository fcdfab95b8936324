//! `STATS_BIN`: in which of the bins between percentiles a value lies, from 0.

use super::bins::{bin, percentiles};
use super::state::Statistics;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::value::{Value, double_of};

/// See [`DOC`].
pub(crate) struct StatsBin;

static DOC: Doc = Doc {
    name: "STATS_BIN",
    summary: "In which of the bins between percentiles a value lies, from 0.",
    parameters: &[
        needs("statistics", "the statistics"),
        needs("value", "the value"),
        takes("bounds", "a list of percentiles, or QUARTILE (also without it), QUINTILE, DECILE"),
    ],
    returns: "an int; -1 for null",
    examples: &[
        gives("STATS_BIN(STATS_ADD(STATS_INIT(100), [10, 20, 30, 40]), 26)", "2"),
        gives("STATS_BIN(null, 5)", "-1"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsBin {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let (statistics, value) = (arguments.at(0)?, arguments.at(1)?);
        if statistics.is_null() || value.is_null() {
            return Ok(Value::Int(-1));
        }
        let statistics = statistics.as_object::<Statistics>().ok_or_else(|| arguments.wrong(0, "statistics"))?;
        let value = double_of(value).ok_or_else(|| arguments.wrong(1, "a number"))?;
        let percentiles = percentiles(arguments.or_null(2))?;
        context.spend(statistics.cost())?;
        let bounds = statistics.with(|summary| {
            percentiles.iter().map(|percentile| summary.percentile(*percentile)).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(Value::Int(bin(value, &bounds)))
    }
}
