//! `ROUND`: a number rounded to a whole one, halves up, as a double.

use super::unary::unary;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};
use crate::value::Number;

/// See [`DOC`].
pub(crate) struct Round;

static DOC: Doc = Doc {
    name: "ROUND",
    summary: "A number rounded to a whole one, halves up, as a double.",
    parameters: &[takes("number", "a number")],
    returns: "a double; NaN for null and without an argument",
    examples: &[gives("ROUND(2.5)", "3.0"), gives("ROUND(-2.5)", "-2.0"), gives("ROUND(0.4)", "0.0")],
    purity: Purity::Pure,
};

impl Function for Round {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        unary(arguments, round)
    }
}

/// Half up like Java's `Math.round`, which goes through a long: larger numbers end at its bounds, and there is no negative zero.
#[expect(clippy::cast_precision_loss, reason = "the original widens the same long")]
fn round(number: f64) -> f64 {
    if number.is_nan() {
        return number;
    }
    let floor = number.floor();
    let rounded = if number - floor >= 0.5 { floor + 1.0 } else { floor };
    Number::Double(rounded).to_long() as f64
}
