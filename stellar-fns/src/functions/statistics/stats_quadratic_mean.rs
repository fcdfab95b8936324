//! `STATS_QUADRATIC_MEAN`: the root of the mean of the squares of the values.

use super::state::measure;
use super::window::Window;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsQuadraticMean;

static DOC: Doc = Doc {
    name: "STATS_QUADRATIC_MEAN",
    summary: "The root of the mean of the squares of the values.",
    parameters: &[needs("statistics", "what STATS_INIT made")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_QUADRATIC_MEAN(STATS_ADD(STATS_INIT(9), [1, 7]))", "5.0"),
        gives("STATS_QUADRATIC_MEAN(null)", "NaN"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsQuadraticMean {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        measure(arguments, context, |state| (state.sum_of_squares() / state.count()).sqrt(), Window::quadratic_mean)
    }
}
