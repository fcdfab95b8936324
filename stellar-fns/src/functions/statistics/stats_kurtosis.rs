//! `STATS_KURTOSIS`: the excess kurtosis of the values, by the sample formula.

use super::online::Online;
use super::state::measure;
use super::window::Window;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsKurtosis;

static DOC: Doc = Doc {
    name: "STATS_KURTOSIS",
    summary: "The excess kurtosis of the values, by the sample formula.",
    parameters: &[needs("statistics", "what STATS_INIT made")],
    returns: "a double; NaN for null",
    examples: &[
        gives("ROUND(STATS_KURTOSIS(STATS_ADD(STATS_INIT(), [10, 20, 30, 40, 50, 60, 70])) * 10)", "-12.0"),
        gives("STATS_KURTOSIS(STATS_ADD(STATS_INIT(), [1, 2, 3]))", "NaN"),
        gives("STATS_KURTOSIS(null)", "NaN"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsKurtosis {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        measure(arguments, context, Online::kurtosis, Window::kurtosis)
    }
}
