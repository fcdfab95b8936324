//! `FILTER`: a list of the items for which a lambda gives true.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct Filter;

static DOC: Doc = Doc {
    name: "FILTER",
    summary: "A list of the items for which a lambda gives true.",
    parameters: &[needs("items", "a list, a set or a text"), needs("lambda", "called with each item")],
    returns: "a list; the first argument itself when it or the lambda is null",
    examples: &[
        gives("FILTER(['a', 'b'], x -> x == 'b')", "['b']"),
        gives("FILTER('abc', c -> c == 'b')", "[]"),
        gives("FILTER([1], x -> 'yes')", "[]"),
    ],
    purity: Purity::Pure,
};

impl Function for Filter {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let lambda = arguments.at(1)?;
        let items = match arguments.nullable_items(0, context)? {
            Some(items) if !lambda.is_null() => items,
            _ => return Ok(arguments.or_null(0).clone()),
        };
        let mut kept = Vec::new();
        for item in items {
            if matches!(context.apply(lambda, std::slice::from_ref(&item))?, Value::Bool(true)) {
                kept.push(item);
            }
        }
        Ok(Value::list(kept))
    }
}
