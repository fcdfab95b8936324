//! `STATS_COUNT`: how many values statistics hold.

use super::online::Online;
use super::state::measure;
use super::window::Window;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsCount;

static DOC: Doc = Doc {
    name: "STATS_COUNT",
    summary: "How many values statistics hold.",
    parameters: &[needs("statistics", "what STATS_INIT made")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_COUNT(STATS_ADD(STATS_INIT(), [10, 20, 30, 40]))", "4.0"),
        gives("STATS_COUNT(STATS_ADD(STATS_INIT(2), [1, 2, 3]))", "2.0"),
        gives("STATS_COUNT(null)", "NaN"),
        fails("STATS_COUNT(1)"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsCount {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        measure(arguments, context, Online::count, Window::count)
    }
}
