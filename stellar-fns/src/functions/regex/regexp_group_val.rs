//! `REGEXP_GROUP_VAL`: what a group of a pattern matched, where the whole text matches.
//!
//! Group 0 is the text itself, even where it doesn't match: an oddity of the original that is kept.

use std::sync::Arc;

use super::literal::Literal;
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Prepared, Purity, fails, gives, needs};
use crate::value::{Value, int_of};

/// See [`DOC`].
pub(crate) struct RegexpGroupVal;

static DOC: Doc = Doc {
    name: "REGEXP_GROUP_VAL",
    summary: "What a group of a pattern matched, where the whole text matches.",
    parameters: &[
        needs("text", "the text"),
        needs("pattern", "the pattern"),
        needs("group", "the number of the group, converted as by TO_INTEGER"),
    ],
    returns: "a text; null if the text doesn't match or there is no such group",
    examples: &[
        gives("REGEXP_GROUP_VAL('12345', '\\\\d(\\\\d)(\\\\d).*', 2)", "'3'"),
        gives("REGEXP_GROUP_VAL('abc', '\\\\d+', 0)", "'abc'"),
        gives("REGEXP_GROUP_VAL('abc', 'a(.)c', '1')", "'b'"),
        gives("REGEXP_GROUP_VAL('abc', '(\\\\d)', 1)", "null"),
        fails("REGEXP_GROUP_VAL('abc', 'a')"),
    ],
    purity: Purity::Pure,
};

impl Function for RegexpGroupVal {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        answer(&Literal::NONE, arguments, context)
    }

    fn prepare(&self, literals: &[Option<&Value>]) -> Option<Arc<dyn Prepared>> {
        Literal::prepare(*literals.get(1)?, answer)
    }
}

fn answer(known: &Literal, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
    arguments.expect(3, 3)?;
    let (text, pattern) = (arguments.nullable_text(0)?, arguments.nullable_text(1)?);
    let Some((text, pattern)) = text.zip(pattern) else { return Ok(Value::Null) };
    let Some(group) = int_of(arguments.at(2)?) else { return Ok(Value::Null) };
    let group = usize::try_from(group).map_err(|_| Fault::argument(format!("group {group} is negative")))?;
    if group == 0 {
        return Ok(Value::text(text));
    }
    Ok(known.get(pattern, context)?.group(text, group, context)?.map_or(Value::Null, Value::text))
}
