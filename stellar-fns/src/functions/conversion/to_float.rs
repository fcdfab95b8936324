//! `TO_FLOAT`: a value as a float.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::{Value, float_of};

/// See [`DOC`].
pub(crate) struct ToFloat;

static DOC: Doc = Doc {
    name: "TO_FLOAT",
    summary: "A value as a float.",
    parameters: &[needs("value", "a number, text, boolean, or a list with one of them first")],
    returns: "a float, or null if it can't be one",
    examples: &[gives("TO_FLOAT('1.5')", "1.5f"), gives("TO_FLOAT(12)", "12.0f"), gives("TO_FLOAT('x')", "null")],
    purity: Purity::Pure,
};

impl Function for ToFloat {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        Ok(float_of(arguments.at(0)?).map_or(Value::Null, Value::Float))
    }
}
