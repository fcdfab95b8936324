//! `STATS_VARIANCE`: the sample variance of the values.

use super::online::Online;
use super::state::measure;
use super::window::Window;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsVariance;

static DOC: Doc = Doc {
    name: "STATS_VARIANCE",
    summary: "The sample variance of the values.",
    parameters: &[needs("statistics", "what STATS_INIT made")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_VARIANCE(STATS_ADD(STATS_INIT(), [1, 2, 3]))", "1.0"),
        gives("STATS_VARIANCE(null)", "NaN"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsVariance {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        measure(arguments, context, Online::variance, Window::variance)
    }
}
