//! `BIN`: in which of the bins between bounds a value lies, from 0: the first whose bound isn't below it.

use super::bins::bin;
use super::state::numbers;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::{Value, double_of};

/// See [`DOC`].
pub(crate) struct Bin;

static DOC: Doc = Doc {
    name: "BIN",
    summary: "In which of the bins between bounds a value lies, from 0: the first whose bound isn't below it.",
    parameters: &[needs("value", "a number"), needs("bounds", "a list of numbers in ascending order")],
    returns: "an int; -1 for null",
    examples: &[
        gives("BIN(19, [10, 20, 30])", "1"),
        gives("BIN(10, [10, 20, 30])", "0"),
        gives("BIN(31, [10, 20, 30])", "3"),
        gives("BIN(null, [10])", "-1"),
    ],
    purity: Purity::Pure,
};

impl Function for Bin {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let (value, bounds) = (arguments.at(0)?, arguments.at(1)?);
        if value.is_null() || bounds.is_null() {
            return Ok(Value::Int(-1));
        }
        let value = double_of(value).ok_or_else(|| arguments.wrong(0, "a number"))?;
        let bounds = numbers(bounds)?;
        context.spend(bounds.len())?;
        Ok(Value::Int(bin(value, &bounds)))
    }
}
