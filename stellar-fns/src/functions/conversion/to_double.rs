//! `TO_DOUBLE`: a value as a double.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::double_of;

/// See [`DOC`].
pub(crate) struct ToDouble;

static DOC: Doc = Doc {
    name: "TO_DOUBLE",
    summary: "A value as a double.",
    parameters: &[needs("value", "a number, text, boolean, or a list with one of them first")],
    returns: "a double, or null if it can't be one",
    examples: &[gives("TO_DOUBLE('1.5')", "1.5"), gives("TO_DOUBLE(12L)", "12.0"), gives("TO_DOUBLE('x')", "null")],
    purity: Purity::Pure,
};

impl Function for ToDouble {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        Ok(double_of(arguments.at(0)?).into())
    }
}
