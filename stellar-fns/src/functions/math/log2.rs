//! `LOG2`: the logarithm to base 2.

use super::unary::unary;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};

/// See [`DOC`].
pub(crate) struct Log2;

static DOC: Doc = Doc {
    name: "LOG2",
    summary: "The logarithm to base 2.",
    parameters: &[takes("number", "a number")],
    returns: "a double; NaN for null and without an argument",
    examples: &[gives("LOG2(8)", "3.0"), gives("LOG2(null)", "NaN"), fails("LOG2('1')")],
    purity: Purity::Pure,
};

impl Function for Log2 {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        unary(arguments, f64::log2)
    }
}
