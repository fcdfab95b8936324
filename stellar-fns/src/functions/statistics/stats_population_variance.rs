//! `STATS_POPULATION_VARIANCE`: the variance of the values of a window, taken as the whole population.

use super::state::measure_window;
use super::window::Window;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsPopulationVariance;

static DOC: Doc = Doc {
    name: "STATS_POPULATION_VARIANCE",
    summary: "The variance of the values of a window, taken as the whole population.",
    parameters: &[needs("statistics", "what STATS_INIT made with a window")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_POPULATION_VARIANCE(STATS_ADD(STATS_INIT(9), [1, 3]))", "1.0"),
        gives("STATS_POPULATION_VARIANCE(null)", "NaN"),
        fails("STATS_POPULATION_VARIANCE(STATS_INIT())"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsPopulationVariance {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        measure_window(arguments, context, Window::population_variance)
    }
}
