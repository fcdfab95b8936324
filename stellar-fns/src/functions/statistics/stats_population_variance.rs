//! `STATS_POPULATION_VARIANCE`: the variance of a population, of a window only.

use super::over::over;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct StatsPopulationVariance;

static DOC: Doc = Doc {
    name: "STATS_POPULATION_VARIANCE",
    summary: "The variance of a population, of a window only.",
    parameters: &[needs("statistics", "the statistics")],
    returns: "a double; NaN for null",
    examples: &[
        gives("STATS_POPULATION_VARIANCE(STATS_ADD(STATS_INIT(100), [1, 3]))", "1.0"),
        gives("STATS_POPULATION_VARIANCE(null)", "NaN"),
        fails("STATS_POPULATION_VARIANCE('x')"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsPopulationVariance {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        over(arguments, |summary| summary.population_variance())
    }
}
