//! `LN`: the natural logarithm.

use super::unary::unary;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};

/// See [`DOC`].
pub(crate) struct Ln;

static DOC: Doc = Doc {
    name: "LN",
    summary: "The natural logarithm.",
    parameters: &[takes("number", "a number")],
    returns: "a double; NaN for null and without an argument",
    examples: &[gives("LN(1)", "0.0"), gives("LN(null)", "NaN"), fails("LN('1')")],
    purity: Purity::Pure,
};

impl Function for Ln {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        unary(arguments, f64::ln)
    }
}
