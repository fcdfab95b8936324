//! `STATS_MIN`: the least of the values.

use super::online::Online;
use super::state::measure;
use super::window::Window;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsMin;

static DOC: Doc = Doc {
    name: "STATS_MIN",
    summary: "The least of the values.",
    parameters: &[needs("statistics", "what STATS_INIT made")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_MIN(STATS_ADD(STATS_INIT(), [10, 20, 30, 40]))", "10.0"),
        gives("STATS_MIN(STATS_INIT())", "NaN"),
        gives("STATS_MIN(null)", "NaN"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsMin {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        measure(arguments, context, Online::min, Window::min)
    }
}
