//! `MAP`: a list of what a lambda gives for each item.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct Map;

static DOC: Doc = Doc {
    name: "MAP",
    summary: "A list of what a lambda gives for each item.",
    parameters: &[needs("items", "a list, a set or a text"), needs("lambda", "called with each item")],
    returns: "a list; the first argument itself when it or the lambda is null",
    examples: &[
        gives("MAP(['a', 'b'], x -> TO_UPPER(x))", "['A', 'B']"),
        gives("MAP([1, 2], () -> 7)", "[7, 7]"),
        gives("MAP(null, x -> x)", "null"),
        fails("MAP(5, x -> x)"),
    ],
    purity: Purity::Pure,
};

impl Function for Map {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let lambda = arguments.at(1)?;
        let items = match arguments.nullable_items(0, context)? {
            Some(items) if !lambda.is_null() => items,
            _ => return Ok(arguments.or_null(0).clone()),
        };
        let mut mapped = Vec::with_capacity(items.len());
        for item in items {
            mapped.push(context.apply(lambda, &[item])?);
        }
        Ok(Value::list(mapped))
    }
}
