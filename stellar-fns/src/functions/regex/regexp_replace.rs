//! `REGEXP_REPLACE`: a text with every match of a pattern replaced.

use std::sync::Arc;

use super::literal::Literal;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Prepared, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct RegexpReplace;

static DOC: Doc = Doc {
    name: "REGEXP_REPLACE",
    summary: "A text with every match of a pattern replaced.",
    parameters: &[
        needs("text", "the text"),
        needs("pattern", "the pattern"),
        needs("value", "what is put in place; $1 stands for a group, \\\\$ for a dollar"),
    ],
    returns: "a text; null for null or an empty text; the text itself if the pattern or the value is null or empty",
    examples: &[
        gives("REGEXP_REPLACE('a1b22', '\\\\d+', '#')", "'a#b#'"),
        gives("REGEXP_REPLACE('john smith', '(\\\\w+) (\\\\w+)', '$2 $1')", "'smith john'"),
        gives("REGEXP_REPLACE('abc', 'b', '')", "'abc'"),
        gives("REGEXP_REPLACE('', 'b', 'c')", "null"),
        fails("REGEXP_REPLACE('abc', 'b', '$1')"),
    ],
    purity: Purity::Pure,
};

impl Function for RegexpReplace {
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
    let Some(text) = arguments.nullable_text(0)?.filter(|text| !text.is_empty()) else { return Ok(Value::Null) };
    let (pattern, value) = (arguments.nullable_text(1)?, arguments.nullable_text(2)?);
    match pattern.zip(value) {
        Some((pattern, value)) if !pattern.is_empty() && !value.is_empty() => {
            known.get(pattern, context)?.replace(text, value, context).map(Value::from)
        }
        _ => Ok(Value::text(text)),
    }
}
