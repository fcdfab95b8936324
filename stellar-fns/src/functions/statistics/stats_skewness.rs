//! `STATS_SKEWNESS`: the skewness of the values, by the sample formula.

use super::online::Online;
use super::state::measure;
use super::window::Window;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsSkewness;

static DOC: Doc = Doc {
    name: "STATS_SKEWNESS",
    summary: "The skewness of the values, by the sample formula.",
    parameters: &[needs("statistics", "what STATS_INIT made")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_SKEWNESS(STATS_ADD(STATS_INIT(), [1, 2, 3]))", "0.0"),
        gives("STATS_SKEWNESS(STATS_ADD(STATS_INIT(), [1, 2]))", "NaN"),
        gives("STATS_SKEWNESS(null)", "NaN"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsSkewness {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        measure(arguments, context, Online::skewness, Window::skewness)
    }
}
