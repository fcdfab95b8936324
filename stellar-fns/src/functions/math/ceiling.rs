//! `CEILING`: the least whole number that is not below a number.

use super::unary::unary;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};

/// See [`DOC`].
pub(crate) struct Ceiling;

static DOC: Doc = Doc {
    name: "CEILING",
    summary: "The least whole number that is not below a number.",
    parameters: &[takes("number", "a number")],
    returns: "a double; NaN for null and without an argument",
    examples: &[gives("CEILING(-10.5)", "-10.0"), gives("CEILING(null)", "NaN"), fails("CEILING('1')")],
    purity: Purity::Pure,
};

impl Function for Ceiling {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        unary(arguments, f64::ceil)
    }
}
