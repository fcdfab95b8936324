//! `IS_NAN`: whether a number is no number.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct IsNan;

static DOC: Doc = Doc {
    name: "IS_NAN",
    summary: "Whether a number is no number.",
    parameters: &[needs("number", "a number")],
    returns: "a boolean; null and anything else is an error",
    examples: &[
        gives("IS_NAN(NaN)", "true"),
        gives("IS_NAN(1.0)", "false"),
        fails("IS_NAN('casey')"),
        fails("IS_NAN(null)"),
    ],
    purity: Purity::Pure,
};

impl Function for IsNan {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let number = arguments.at(0)?.as_number().ok_or_else(|| arguments.wrong(0, "a number"))?;
        Ok(Value::Bool(number.to_double().is_nan()))
    }
}
