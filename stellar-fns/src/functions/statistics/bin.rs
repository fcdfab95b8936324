//! `BIN`: which bin a value falls into.

use super::bins::{bin_of, number};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::value::{Value, double_of};

/// See [`DOC`].
pub(crate) struct Bin;

static DOC: Doc = Doc {
    name: "BIN",
    summary: "Which bin a value falls into.",
    parameters: &[
        needs("value", "the number to place"),
        takes("bounds", "the bounds between bins, as a list that does not decrease"),
    ],
    returns: "an int: the first bin whose bound is not below the value, counted from 0; -1 for null and without bounds",
    examples: &[
        gives("BIN(10, [10, 20, 30])", "0"),
        gives("BIN(19, [10, 20, 30])", "1"),
        gives("BIN(31, [10, 20, 30])", "3"),
        gives("BIN(null, [10])", "-1"),
        gives("BIN(1)", "-1"),
        fails("BIN(25, [20, 10])"),
        fails("BIN(1, 'a')"),
    ],
    purity: Purity::Pure,
};

impl Function for Bin {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let value = double_of(arguments.at(0)?);
        let bounds = match arguments.or_null(1) {
            Value::Null => Vec::new(),
            Value::List(list) => {
                context.spend(list.len() / 8)?;
                list.items()
            }
            _ => return Err(arguments.wrong(1, "a list")),
        };
        let Some(value) = value.filter(|_| !bounds.is_empty()) else { return Ok(Value::Int(-1)) };
        bin_of(value, &bounds, |bound| {
            context.spend(1)?;
            number(bound)
        })
    }
}
