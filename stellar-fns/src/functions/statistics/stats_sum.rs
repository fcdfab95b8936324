//! `STATS_SUM`: the sum of the values.

use super::online::Online;
use super::state::measure;
use super::window::Window;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsSum;

static DOC: Doc = Doc {
    name: "STATS_SUM",
    summary: "The sum of the values.",
    parameters: &[needs("statistics", "what STATS_INIT made")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_SUM(STATS_ADD(STATS_INIT(), [10, 20, 30, 40]))", "100.0"),
        gives("STATS_SUM(null)", "NaN"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsSum {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        measure(arguments, context, Online::sum, Window::sum)
    }
}
