//! `SIN`: the sine of an angle in radians.

use super::unary::unary;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};

/// See [`DOC`].
pub(crate) struct Sin;

static DOC: Doc = Doc {
    name: "SIN",
    summary: "The sine of an angle in radians.",
    parameters: &[takes("number", "a number")],
    returns: "a double; NaN for null and without an argument",
    examples: &[gives("SIN(0)", "0.0"), gives("SIN(null)", "NaN"), fails("SIN('1')")],
    purity: Purity::Pure,
};

impl Function for Sin {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        unary(arguments, f64::sin)
    }
}
