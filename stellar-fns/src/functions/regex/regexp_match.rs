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
    parameters: &[
        needs("text", "the text"),
        needs("pattern", "a pattern, or a list of patterns, which count by their text form"),
    ],
    returns: "a boolean; false for nulls",
    examples: &[
        gives("REGEXP_MATCH('abcde', '[a-z]+')", "true"),
        gives("REGEXP_MATCH('abcde', '[a-z]')", "false"),
        gives("REGEXP_MATCH('abcde', ['\\\\d+', '.*e'])", "true"),
        gives("REGEXP_MATCH('5', [5])", "true"),
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
            Value::List(_) | Value::Set(_) => arguments.list_or_set(1, context)?.unwrap_or_default(),
            // What is no pattern matches nothing, as in the original.
            _ => return Ok(Value::Bool(false)),
        };
        for pattern in patterns.iter().filter(|pattern| !pattern.is_null()) {
            let pattern = context.text_of(pattern)?;
            if Pattern::cached(&pattern, context)?.matches(text, context)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }

    fn prepare(&self, literals: &[Option<&Value>]) -> Option<Arc<dyn Prepared>> {
        let read = |pattern: &Value| Pattern::read(pattern.as_text()?, Limits::default().backtracking).ok();
        match (*literals.get(1)?)? {
            Value::List(patterns) => {
                let patterns = patterns.items();
                let patterns = patterns.iter().filter(|pattern| !pattern.is_null()).map(read);
                Some(Arc::new(Literals(patterns.collect::<Option<_>>()?)))
            }
            pattern => Some(Arc::new(Literals(vec![read(pattern)?]))),
        }
    }
}

/// The patterns of a call that names them literally.
struct Literals(Vec<Pattern>);

impl Prepared for Literals {
    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(2, 2)?;
        let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::Bool(false)) };
        if !self.0.iter().all(|pattern| pattern.fits(context)) {
            return RegexpMatch.call(arguments, context);
        }
        for pattern in &self.0 {
            if pattern.matches(text, context)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }
}
