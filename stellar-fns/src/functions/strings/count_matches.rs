//! `COUNT_MATCHES`: how often a text occurs in another, without overlaps.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct CountMatches;

static DOC: Doc = Doc {
    name: "COUNT_MATCHES",
    summary: "How often a text occurs in another, without overlaps.",
    parameters: &[needs("text", "where to look"), needs("part", "what to look for")],
    returns: "an int; 0 if either is null or the part is empty",
    examples: &[
        gives("COUNT_MATCHES('anand', 'an')", "2"),
        gives("COUNT_MATCHES('aaa', 'aa')", "1"),
        gives("COUNT_MATCHES('abc', null)", "0"),
        fails("COUNT_MATCHES('abc')"),
    ],
    purity: Purity::Pure,
};

impl Function for CountMatches {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        arguments.expect(2, 2)?;
        let (text, part) = (arguments.nullable_text(0)?, arguments.nullable_text(1)?);
        let count = match text.zip(part) {
            Some((text, part)) if !part.is_empty() => text.matches(part).count(),
            _ => 0,
        };
        Ok(Value::Int(i32::try_from(count).unwrap_or(i32::MAX)))
    }
}
