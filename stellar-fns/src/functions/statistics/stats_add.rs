//! `STATS_ADD`: statistics with numbers added, in place. Nulls are ignored.

use std::sync::Arc;

use super::state::{Statistics, numbers};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct StatsAdd;

static DOC: Doc = Doc {
    name: "STATS_ADD",
    summary: "Statistics with numbers added, in place. Nulls are ignored.",
    parameters: &[
        needs("statistics", "the statistics; null makes new ones"),
        needs("numbers…", "numbers, or lists of numbers"),
    ],
    returns: "the statistics",
    examples: &[
        gives("STATS_SUM(STATS_ADD(STATS_INIT(), 1, [2, null], 3.5))", "6.5"),
        fails("STATS_ADD(STATS_INIT(), 'x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsAdd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let statistics = match arguments.at(0)? {
            Value::Null => Value::Object(Arc::new(Statistics::new(0)?)),
            value => value.clone(),
        };
        let state = statistics.as_object::<Statistics>().ok_or_else(|| arguments.wrong(0, "statistics"))?;
        for value in arguments.iter().skip(1) {
            let numbers = numbers(value)?;
            context.spend(numbers.len())?;
            state.add(&numbers);
        }
        Ok(statistics)
    }
}
