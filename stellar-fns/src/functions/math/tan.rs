//! `TAN`: the tangent of an angle in radians.

use super::unary::unary;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};

/// See [`DOC`].
pub(crate) struct Tan;

static DOC: Doc = Doc {
    name: "TAN",
    summary: "The tangent of an angle in radians.",
    parameters: &[takes("number", "a number")],
    returns: "a double; NaN for null and without an argument",
    examples: &[gives("TAN(0)", "0.0"), gives("TAN(null)", "NaN"), fails("TAN('1')")],
    purity: Purity::Pure,
};

impl Function for Tan {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        unary(arguments, f64::tan)
    }
}
