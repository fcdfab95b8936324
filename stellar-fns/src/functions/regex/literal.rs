//! Patterns that stand in a call as literals: read with the expression, and used where they fit the limits of the evaluation.

use std::sync::Arc;

use super::pattern::Pattern;
use crate::environment::Limits;
use crate::error::Fault;
use crate::function::{Arguments, Context, Outcome, Prepared};
use crate::value::Value;

/// A pattern, read before the call if it could be.
pub(super) struct Literal(Option<Arc<Pattern>>);

impl Literal {
    /// Nothing is known before the call.
    pub(super) const NONE: Self = Self(None);

    /// The pattern that stands there; none where no text does, or one that is no pattern: the call will say so.
    fn of(literal: Option<&Value>) -> Option<Self> {
        let read = Pattern::read(literal?.as_text()?, Limits::default().backtracking).ok()?;
        Some(Self(Some(Arc::new(read))))
    }

    /// A call that names its pattern literally, answered by `answer`; none where [`Literal::of`] gives none.
    pub(super) fn prepare(literal: Option<&Value>, answer: Answer) -> Option<Arc<dyn Prepared>> {
        Some(Arc::new(Known { pattern: Self::of(literal)?, answer }))
    }

    /// The pattern of a call, which is written so.
    pub(super) fn get(&self, written: &str, context: &mut Context<'_>) -> Result<Arc<Pattern>, Fault> {
        match self.0.as_ref().filter(|pattern| pattern.fits(context)) {
            Some(pattern) => Ok(pattern.clone()),
            None => Pattern::cached(written, context),
        }
    }
}

/// What a function answers, given the pattern that was read before the call.
type Answer = fn(&Literal, &Arguments<'_>, &mut Context<'_>) -> Outcome;

struct Known {
    pattern: Literal,
    answer: Answer,
}

impl Prepared for Known {
    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        (self.answer)(&self.pattern, arguments, context)
    }
}

#[cfg(test)]
mod tests {
    use crate::function::Function;
    use crate::functions::regex::{regexp_group_val, regexp_match, regexp_replace};
    use crate::value::Value;
    use crate::{AllNull, Compiler, Environment, Limits};

    #[test]
    fn patterns_that_stand_in_a_call_are_read_with_it() {
        let (pattern, list, bad) =
            (Value::from("a+"), Value::list(["a+".into(), Value::Null, "b".into()]), Value::from("("));
        let functions: [&dyn Function; 3] =
            [&regexp_match::RegexpMatch, &regexp_group_val::RegexpGroupVal, &regexp_replace::RegexpReplace];
        for function in functions {
            let name = function.doc().name;
            assert!(function.prepare(&[None, Some(&pattern), None]).is_some(), "{name}");
            assert!(function.prepare(&[None, Some(&bad), None]).is_none(), "{name}");
            assert!(function.prepare(&[None, None, None]).is_none() && function.prepare(&[]).is_none(), "{name}");
        }
        assert!(regexp_match::RegexpMatch.prepare(&[None, Some(&list)]).is_some());
    }

    #[test]
    fn they_say_what_they_would_say_without_that_whatever_the_limits() {
        for (expression, value) in [
            ("REGEXP_MATCH('b', ['a+', null, 'b'])", "true"),
            ("REGEXP_MATCH('c', ['a+', 'b'])", "false"),
            ("REGEXP_MATCH('c', [])", "false"),
            ("REGEXP_MATCH(null, ['a'])", "false"),
            ("REGEXP_GROUP_VAL('ab', '(a)b', 1)", "a"),
            ("REGEXP_REPLACE('aab', 'a+', 'x')", "xb"),
        ] {
            let program =
                Compiler::default().compile(&expression.replace("('", "(TO_LOWER('").replacen("',", "'),", 1));
            for backtracking in [Limits::default().backtracking, 100] {
                let limits = Limits { backtracking, ..Limits::default() };
                let environment = Environment { limits, ..Environment::default() };
                let given = program.as_ref().unwrap().evaluate(&AllNull, &environment).unwrap();
                assert_eq!(given.to_string(), value, "{expression}");
            }
        }
    }
}
