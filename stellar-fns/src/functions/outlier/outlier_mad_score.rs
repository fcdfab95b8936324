//! `OUTLIER_MAD_SCORE`: how far a value is from the median, in median absolute deviations.

use super::deviation::deviation;
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::value::{Number, Value};

/// See [`DOC`].
pub(crate) struct OutlierMadScore;

static DOC: Doc = Doc {
    name: "OUTLIER_MAD_SCORE",
    summary: "How far a value is from the median, in median absolute deviations.",
    parameters: &[
        needs("state", "what OUTLIER_MAD_STATE_MERGE made"),
        needs("value", "the number to judge"),
        takes("scale", "what to multiply the score by; 0.6745, which makes it comparable to standard deviations"),
    ],
    returns: "a double; NaN for null, and where too little is known",
    examples: &[
        gives("OUTLIER_MAD_SCORE(OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE([]), [1, 2, 3, 4]), 4, 3)", "3.0"),
        gives("OUTLIER_MAD_SCORE(null, 1)", "NaN"),
        fails("OUTLIER_MAD_SCORE(OUTLIER_MAD_STATE_MERGE([]), 'a')"),
    ],
    purity: Purity::Pure,
};

/// Makes the median absolute deviation of a normal distribution its standard deviation.
const SCALE: f64 = 0.6745;

impl Function for OutlierMadScore {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        context.spend(100)?;
        let state = deviation(arguments, 0)?;
        let value = number(arguments, 1)?;
        let scale = if arguments.len() > 2 { number(arguments, 2)? } else { None };
        let Some((state, value)) = state.zip(value) else { return Ok(Value::Double(f64::NAN)) };
        Ok(Value::Double(scale.unwrap_or(SCALE) * state.score(value)?))
    }
}

/// The number at this place; none for null.
fn number(arguments: &Arguments<'_>, index: usize) -> Result<Option<f64>, Fault> {
    match arguments.at(index)? {
        Value::Null => Ok(None),
        value => value
            .as_number()
            .map(|number| Some(Number::to_double(number)))
            .ok_or_else(|| arguments.wrong(index, "a number")),
    }
}
