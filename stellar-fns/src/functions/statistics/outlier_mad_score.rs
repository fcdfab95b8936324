//! `OUTLIER_MAD_SCORE`: how many deviations a value is away from the median: the modified z-score.

use super::mad::State;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::value::{Value, double_of};

/// See [`DOC`].
pub(crate) struct OutlierMadScore;

static DOC: Doc = Doc {
    name: "OUTLIER_MAD_SCORE",
    summary: "How many deviations a value is away from the median: the modified z-score.",
    parameters: &[
        needs("state", "what OUTLIER_MAD_STATE_MERGE made"),
        needs("value", "the value"),
        takes("scale", "what the deviation is scaled by; 0.6745 without it"),
    ],
    returns: "a double; NaN for null and where nothing is known yet",
    examples: &[
        gives("OUTLIER_MAD_SCORE(null, 1)", "NaN"),
        gives("OUTLIER_MAD_SCORE(OUTLIER_MAD_STATE_MERGE([]), 1)", "NaN"),
    ],
    purity: Purity::Pure,
};

impl Function for OutlierMadScore {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let (state, value) = (arguments.at(0)?, arguments.at(1)?);
        if state.is_null() || value.is_null() {
            return Ok(Value::Double(f64::NAN));
        }
        let state = state.as_object::<State>().ok_or_else(|| arguments.wrong(0, "a state"))?;
        let value = double_of(value).ok_or_else(|| arguments.wrong(1, "a number"))?;
        let scale = arguments.get(2).map_or(Some(0.6745), double_of).ok_or_else(|| arguments.wrong(2, "a number"))?;
        Ok(Value::Double(state.score(value, scale)))
    }
}
