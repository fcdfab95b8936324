//! `REDUCE`: what a lambda makes of a start and each item in turn.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct Reduce;

static DOC: Doc = Doc {
    name: "REDUCE",
    summary: "What a lambda makes of a start and each item in turn.",
    parameters: &[
        needs("items", "a list, a set or a text"),
        needs("lambda", "called with what was made so far and the item"),
        needs("start", "what is made of nothing"),
    ],
    returns: "what the lambda gave last; null with fewer arguments or when one is null",
    examples: &[
        gives("REDUCE([1, 2, 3], (sum, x) -> sum + x, 0)", "6"),
        gives("REDUCE([], (sum, x) -> sum + x, 5)", "5"),
        gives("REDUCE([1, 2])", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for Reduce {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let (lambda, start) = (arguments.or_null(1), arguments.or_null(2));
        if lambda.is_null() || start.is_null() {
            return Ok(Value::Null);
        }
        let Some(items) = arguments.nullable_items(0, context)? else { return Ok(Value::Null) };
        let mut made = start.clone();
        for item in items {
            made = context.apply(lambda, &[made, item])?;
        }
        Ok(made)
    }
}
