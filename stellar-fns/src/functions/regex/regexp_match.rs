//! `REGEXP_MATCH`: whether the whole of a text matches one of several patterns.

use std::sync::Arc;

use super::pattern::Pattern;
use crate::environment::Limits;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Prepared, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct RegexpMatch;

static DOC: Doc = Doc {
    name: "REGEXP_MATCH",
    summary: "Whether the whole of a text matches one of several patterns.",
    parameters: &[needs("text", "the text"), needs("pattern", "a pattern, or a list of patterns")],
    returns: "a boolean; false for nulls",
    examples: &[
        gives("REGEXP_MATCH('abcde', '[a-z]+')", "true"),
        gives("REGEXP_MATCH('abcde', '[a-z]')", "false"),
        gives("REGEXP_MATCH('abcde', ['\\\\d+', '.*e'])", "true"),
        gives("REGEXP_MATCH('2024', '(?=.*2)\\\\d{4}')", "true"),
        gives("REGEXP_MATCH('abab', '(ab)\\\\1')", "true"),
        gives("REGEXP_MATCH(null, 'a')", "false"),
        fails("REGEXP_MATCH('a', '(')"),
    ],
    purity: Purity::Pure,
};

impl Function for RegexpMatch {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(2, 2)?;
        let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::Bool(false)) };
        let patterns = match arguments.at(1)? {
            Value::Text(pattern) => return Ok(Value::Bool(Pattern::cached(pattern, context)?.matches(text, context)?)),
            _ => arguments.list_or_set(1, context)?.unwrap_or_default(),
        };
        for pattern in patterns.iter().filter(|pattern| !pattern.is_null()) {
            let pattern = pattern.as_text().ok_or_else(|| arguments.wrong(1, "a text or a list of texts"))?;
            if Pattern::cached(pattern, context)?.matches(text, context)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }

    fn prepare(&self, literals: &[Option<&Value>]) -> Option<Arc<dyn Prepared>> {
        let pattern = literals.get(1)?.as_ref()?.as_text()?;
        Some(Arc::new(Literal(Pattern::compile(pattern, Limits::default().backtracking).ok()?)))
    }
}

/// The pattern of a call that names it literally.
struct Literal(Pattern);

impl Prepared for Literal {
    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(2, 2)?;
        let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::Bool(false)) };
        if self.0.fits(context) {
            return Ok(Value::Bool(self.0.matches(text, context)?));
        }
        Ok(Value::Bool(Pattern::cached(arguments.text(1)?, context)?.matches(text, context)?))
    }
}
