//! `SQRT`: the square root of a number.

use super::unary::unary;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};

/// See [`DOC`].
pub(crate) struct Sqrt;

static DOC: Doc = Doc {
    name: "SQRT",
    summary: "The square root of a number.",
    parameters: &[takes("number", "a number")],
    returns: "a double; NaN for null and without an argument",
    examples: &[gives("SQRT(25)", "5.0"), gives("SQRT(null)", "NaN"), fails("SQRT('1')")],
    purity: Purity::Pure,
};

impl Function for Sqrt {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        unary(arguments, f64::sqrt)
    }
}
