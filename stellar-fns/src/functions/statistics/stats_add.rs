//! `STATS_ADD`: statistics with values added, in place.

use super::online::Online;
use super::state::{State, Statistics, statistics};
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::value::{Value, double_of};

/// See [`DOC`].
pub(crate) struct StatsAdd;

static DOC: Doc = Doc {
    name: "STATS_ADD",
    summary: "Statistics with values added, in place.",
    parameters: &[
        needs("statistics", "what STATS_INIT made; null makes new ones"),
        takes("values…", "numbers, or lists or sets of numbers; nulls are skipped"),
    ],
    returns: "the statistics",
    examples: &[
        gives("STATS_SUM(STATS_ADD(null, 1, [2, null, 3], '4'))", "10.0"),
        fails("STATS_ADD(STATS_INIT(), 'a')"),
        fails("STATS_ADD('a', 1)"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsAdd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let changed = match statistics(arguments, 0)? {
            Some(_) => arguments.at(0)?.clone(),
            None => Statistics::value(State::Online(Online::default())),
        };
        let Some(statistics) = changed.as_object::<Statistics>() else { return Ok(changed) };
        for value in arguments.iter().skip(1) {
            let items = match value {
                Value::List(list) => list.items(),
                Value::Set(set) => set.items(),
                single => vec![single.clone()],
            };
            context.spend(items.len())?;
            for item in items.iter().filter(|item| !item.is_null()) {
                let number = double_of(item)
                    .ok_or_else(|| Fault::wrong_type(format!("a {} is no number to add", item.type_name())))?;
                statistics.add(number)?;
            }
        }
        Ok(changed)
    }
}
