//! `STATS_MERGE`: statistics of the values of several.

use super::state::{State, Statistics};
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct StatsMerge;

static DOC: Doc = Doc {
    name: "STATS_MERGE",
    summary: "Statistics of the values of several.",
    parameters: &[takes("statistics", "a list of statistics without windows; other items are skipped")],
    returns: "new statistics; a single one itself; null if there is none",
    examples: &[
        gives("STATS_SUM(STATS_MERGE([STATS_ADD(null, 1, 2), null, STATS_ADD(null, 3)]))", "6.0"),
        gives("STATS_MERGE([])", "null"),
        gives("STATS_MERGE('a')", "null"),
        fails("STATS_MERGE([STATS_INIT(9), STATS_INIT(9)])"),
    ],
    purity: Purity::Pure,
};

/// What merging costs: a sketch is some hundred groups.
const STEPS: usize = 500;

impl Function for StatsMerge {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let Value::List(list) = arguments.or_null(0) else { return Ok(Value::Null) };
        let items = list.items();
        context.spend(items.len())?;
        let all: Vec<&Value> = items.iter().filter(|item| item.as_object::<Statistics>().is_some()).collect();
        if all.len() < 2 {
            return Ok(all.first().map_or(Value::Null, |single| (*single).clone()));
        }
        let mut merged = super::Online::default();
        for statistics in all.iter().filter_map(|item| item.as_object::<Statistics>()) {
            context.spend(STEPS)?;
            let State::Online(online) = statistics.state() else {
                return Err(Fault::argument("statistics with a window can't be merged; make them with STATS_INIT()"));
            };
            merged = merged.merge(&online)?;
        }
        Ok(Statistics::value(State::Online(merged)))
    }
}
