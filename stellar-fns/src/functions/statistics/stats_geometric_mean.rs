//! `STATS_GEOMETRIC_MEAN`: the geometric mean of the values of a window.

use super::state::measure_window;
use super::window::Window;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsGeometricMean;

static DOC: Doc = Doc {
    name: "STATS_GEOMETRIC_MEAN",
    summary: "The geometric mean of the values of a window.",
    parameters: &[needs("statistics", "what STATS_INIT made with a window")],
    returns: "a double; NaN for null",
    examples: &[
        gives("ROUND(STATS_GEOMETRIC_MEAN(STATS_ADD(STATS_INIT(9), [2, 8])))", "4.0"),
        gives("STATS_GEOMETRIC_MEAN(null)", "NaN"),
        fails("STATS_GEOMETRIC_MEAN(STATS_INIT())"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsGeometricMean {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        measure_window(arguments, context, Window::geometric_mean)
    }
}
