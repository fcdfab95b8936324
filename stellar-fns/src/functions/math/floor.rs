//! `FLOOR`: the greatest whole number that is not above a number.

use super::unary::unary;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};

/// See [`DOC`].
pub(crate) struct Floor;

static DOC: Doc = Doc {
    name: "FLOOR",
    summary: "The greatest whole number that is not above a number.",
    parameters: &[takes("number", "a number")],
    returns: "a double; NaN for null and without an argument",
    examples: &[gives("FLOOR(-10.5)", "-11.0"), gives("FLOOR(null)", "NaN"), fails("FLOOR('1')")],
    purity: Purity::Pure,
};

impl Function for Floor {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        unary(arguments, f64::floor)
    }
}
