//! `EXP`: the exponential function.

use super::unary::unary;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};

/// See [`DOC`].
pub(crate) struct Exp;

static DOC: Doc = Doc {
    name: "EXP",
    summary: "The exponential function.",
    parameters: &[takes("number", "a number")],
    returns: "a double; NaN for null and without an argument",
    examples: &[gives("EXP(0)", "1.0"), gives("EXP(null)", "NaN"), fails("EXP('1')")],
    purity: Purity::Pure,
};

impl Function for Exp {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        unary(arguments, f64::exp)
    }
}
