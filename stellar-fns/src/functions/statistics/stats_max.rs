//! `STATS_MAX`: the greatest of the values.

use super::online::Online;
use super::state::measure;
use super::window::Window;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsMax;

static DOC: Doc = Doc {
    name: "STATS_MAX",
    summary: "The greatest of the values.",
    parameters: &[needs("statistics", "what STATS_INIT made")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_MAX(STATS_ADD(STATS_INIT(), [10, 20, 30, 40]))", "40.0"),
        gives("STATS_MAX(STATS_INIT())", "NaN"),
        gives("STATS_MAX(null)", "NaN"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsMax {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        measure(arguments, context, Online::max, Window::max)
    }
}
