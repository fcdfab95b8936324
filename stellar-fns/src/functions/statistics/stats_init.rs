//! `STATS_INIT`: new statistics.

use std::sync::Arc;

use super::state::Statistics;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::{Value, int_of};

/// See [`DOC`].
pub(crate) struct StatsInit;

static DOC: Doc = Doc {
    name: "STATS_INIT",
    summary: "New statistics.",
    parameters: &[takes("window", "how many of the last values count; 0 or none: all of them")],
    returns: "statistics",
    examples: &[gives("STATS_COUNT(STATS_INIT())", "0.0"), fails("STATS_INIT(-1)")],
    purity: Purity::Pure,
};

impl Function for StatsInit {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let window = match arguments.or_null(0) {
            Value::Null => 0,
            value => int_of(value).ok_or_else(|| arguments.wrong(0, "an int"))?,
        };
        Ok(Value::Object(Arc::new(Statistics::new(window)?)))
    }
}
