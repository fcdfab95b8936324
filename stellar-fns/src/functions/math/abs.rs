//! `ABS`: the absolute value of a number.

use super::unary::unary;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};

/// See [`DOC`].
pub(crate) struct Abs;

static DOC: Doc = Doc {
    name: "ABS",
    summary: "The absolute value of a number.",
    parameters: &[takes("number", "a number")],
    returns: "a double; NaN for null and without an argument",
    examples: &[gives("ABS(-10.5)", "10.5"), gives("ABS(null)", "NaN"), fails("ABS('1')")],
    purity: Purity::Pure,
};

impl Function for Abs {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        unary(arguments, f64::abs)
    }
}
