//! `COS`: the cosine of an angle in radians.

use super::unary::unary;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};

/// See [`DOC`].
pub(crate) struct Cos;

static DOC: Doc = Doc {
    name: "COS",
    summary: "The cosine of an angle in radians.",
    parameters: &[takes("number", "a number")],
    returns: "a double; NaN for null and without an argument",
    examples: &[gives("COS(0)", "1.0"), gives("COS(null)", "NaN"), fails("COS('1')")],
    purity: Purity::Pure,
};

impl Function for Cos {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        unary(arguments, f64::cos)
    }
}
