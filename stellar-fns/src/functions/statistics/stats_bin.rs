//! `STATS_BIN`: which bin of a distribution a value falls into.

use super::bins::{bin_of, number};
use super::state::statistics;
use crate::error::{Fault, shown};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::value::{Value, double_of};

/// See [`DOC`].
pub(crate) struct StatsBin;

static DOC: Doc = Doc {
    name: "STATS_BIN",
    summary: "Which bin of a distribution a value falls into.",
    parameters: &[
        needs("statistics", "what STATS_INIT made"),
        needs("value", "the number to place"),
        takes(
            "bounds",
            "the percentiles between bins as a list, or QUARTILE, QUINTILE or DECILE; quartiles without it",
        ),
    ],
    returns: "an int: the first bin whose bound is not below the value, counted from 0; -1 for null and without bounds",
    examples: &[
        gives("STATS_BIN(STATS_ADD(STATS_INIT(), [10, 20, 30, 40, 50]), 21)", "1"),
        gives("STATS_BIN(STATS_ADD(STATS_INIT(), [10, 20, 30, 40, 50]), 21, [50])", "0"),
        gives("STATS_BIN(STATS_ADD(STATS_INIT(), [10, 20]), 21, 'DECILE')", "9"),
        gives("STATS_BIN(null, 1)", "-1"),
        fails("STATS_BIN(STATS_INIT(), 1, 'MEDIAN')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsBin {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let statistics = statistics(arguments, 0)?;
        let value = double_of(arguments.at(1)?);
        let bounds = match arguments.get(2) {
            None => equal_bins(4),
            Some(Value::List(list)) => {
                context.spend(list.len() / 8)?;
                list.items()
            }
            Some(Value::Text(name)) => named_bins(name)?,
            Some(_) => return Err(arguments.wrong(2, "a list, or QUARTILE, QUINTILE or DECILE")),
        };
        let Some((statistics, value)) = statistics.zip(value).filter(|_| !bounds.is_empty()) else {
            return Ok(Value::Int(-1));
        };
        bin_of(value, &bounds, |bound| {
            context.spend(1)?;
            statistics.percentile(number(bound)?, context)
        })
    }
}

fn named_bins(name: &str) -> Result<Vec<Value>, Fault> {
    match name {
        "QUARTILE" => Ok(equal_bins(4)),
        "QUINTILE" => Ok(equal_bins(5)),
        "DECILE" => Ok(equal_bins(10)),
        _ => Err(Fault::argument(format!("no bins {}; there are QUARTILE, QUINTILE and DECILE", shown(name)))),
    }
}

/// The bounds between this many bins of the same share.
fn equal_bins(bins: i32) -> Vec<Value> {
    (1..bins).map(|bin| Value::Int(100 / bins * bin)).collect()
}
