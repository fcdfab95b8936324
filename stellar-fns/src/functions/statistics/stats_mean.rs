//! `STATS_MEAN`: the mean of the values.

use super::online::Online;
use super::state::measure;
use super::window::Window;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsMean;

static DOC: Doc = Doc {
    name: "STATS_MEAN",
    summary: "The mean of the values.",
    parameters: &[needs("statistics", "what STATS_INIT made")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_MEAN(STATS_ADD(STATS_INIT(), [10, 20, 30, 40]))", "25.0"),
        gives("STATS_MEAN(STATS_ADD(STATS_INIT(2), [1, 2, 3]))", "2.5"),
        gives("STATS_MEAN(null)", "NaN"),
        fails("STATS_MEAN(1)"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsMean {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        measure(arguments, context, Online::mean, Window::mean)
    }
}
