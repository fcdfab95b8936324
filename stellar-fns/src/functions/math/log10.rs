//! `LOG10`: the logarithm to base 10.

use super::unary::unary;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};

/// See [`DOC`].
pub(crate) struct Log10;

static DOC: Doc = Doc {
    name: "LOG10",
    summary: "The logarithm to base 10.",
    parameters: &[takes("number", "a number")],
    returns: "a double; NaN for null and without an argument",
    examples: &[gives("LOG10(1000)", "3.0"), gives("LOG10(null)", "NaN"), fails("LOG10('1')")],
    purity: Purity::Pure,
};

impl Function for Log10 {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        unary(arguments, f64::log10)
    }
}
