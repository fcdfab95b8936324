//! `STATS_MERGE`: new statistics of all values of several.

use std::sync::Arc;

use super::state::Statistics;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct StatsMerge;

static DOC: Doc = Doc {
    name: "STATS_MERGE",
    summary: "New statistics of all values of several.",
    parameters: &[needs("statistics", "a list of statistics; nulls in it are skipped")],
    returns: "statistics; null if there is none",
    examples: &[
        gives("STATS_COUNT(STATS_MERGE([STATS_ADD(null, 1), STATS_ADD(null, [2, 3])]))", "3.0"),
        gives("STATS_MERGE(null)", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsMerge {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let mut merged: Option<Statistics> = None;
        for value in arguments.list_or_set(0, context)?.into_iter().flatten().filter(|value| !value.is_null()) {
            let statistics =
                value.as_object::<Statistics>().ok_or_else(|| arguments.wrong(0, "a list of statistics"))?;
            context.spend(statistics.cost())?;
            match &merged {
                None => merged = Some(statistics.copy()),
                Some(merged) => merged.merge(statistics),
            }
        }
        Ok(merged.map_or(Value::Null, |statistics| Value::Object(Arc::new(statistics))))
    }
}
