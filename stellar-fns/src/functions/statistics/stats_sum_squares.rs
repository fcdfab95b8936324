//! `STATS_SUM_SQUARES`: the sum of the squares of the values.

use super::online::Online;
use super::state::measure;
use super::window::Window;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsSumSquares;

static DOC: Doc = Doc {
    name: "STATS_SUM_SQUARES",
    summary: "The sum of the squares of the values.",
    parameters: &[needs("statistics", "what STATS_INIT made")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_SUM_SQUARES(STATS_ADD(STATS_INIT(), [10, 20, 30, 40]))", "3000.0"),
        gives("STATS_SUM_SQUARES(null)", "NaN"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsSumSquares {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        measure(arguments, context, Online::sum_of_squares, Window::sum_of_squares)
    }
}
