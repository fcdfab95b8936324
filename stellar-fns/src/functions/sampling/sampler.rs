//! A reservoir: of all values that came, it keeps a fixed number, each with the same chance.
//!
//! The draws are seeded alike every time, as in the original, so that the same values give the same sample.

use std::any::Any;
use std::mem;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::Fault;
use crate::function::{Arguments, Context};
use crate::functions::java_random::JavaRandom;
use crate::value::{List, Object, Value};

/// How many values a sampler keeps that was made without a size.
pub(super) const SIZE: usize = 1024;

/// Draws are below this, as Java's are: past it the count of values stands still.
const MOST_SEEN: u64 = (1 << 31) - 2;

/// The reservoir as a value.
#[derive(Debug)]
pub(super) struct Sampler {
    size: usize,
    kept: List,
    draws: Mutex<Draws>,
}

#[derive(Debug)]
struct Draws {
    seen: u64,
    random: JavaRandom,
}

impl Object for Sampler {
    fn kind(&self) -> &'static str {
        "sampler"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn held(&self) -> Vec<Value> {
        vec![Value::List(self.kept.clone())]
    }

    fn release(&mut self) -> Vec<Value> {
        vec![Value::List(mem::replace(&mut self.kept, List::new(Vec::new())))]
    }
}

impl Sampler {
    /// A new value that keeps this many.
    pub(super) fn value(size: usize) -> Value {
        let draws = Draws { seen: 0, random: JavaRandom::new(0) };
        Value::Object(Arc::new(Self { size, kept: List::new(Vec::new()), draws: Mutex::new(draws) }))
    }

    /// How many it keeps.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// What it keeps now.
    pub(super) fn kept(&self) -> Vec<Value> {
        self.kept.items()
    }

    /// Offers values; nulls are skipped.
    pub(super) fn offer(&self, values: &[Value], context: &mut Context<'_>) -> Result<(), Fault> {
        let kept = Value::List(self.kept.clone());
        context.spend(values.len())?;
        for value in values.iter().filter(|value| !value.is_null()) {
            let _turn = context.check_circle(value, &kept)?;
            let mut draws = self.draws.lock();
            if self.kept.len() < self.size {
                self.kept.push(value.clone());
            } else {
                let bound = draws.seen + 1;
                let place = usize::try_from(draws.random.below(bound)).unwrap_or(usize::MAX);
                if place < self.size {
                    self.kept.replace(place, value.clone());
                }
            }
            draws.seen = MOST_SEEN.min(draws.seen + 1);
        }
        Ok(())
    }
}

/// The sampler at this place; none for null.
pub(super) fn sampler<'a>(arguments: &Arguments<'a>, index: usize) -> Result<Option<&'a Sampler>, Fault> {
    arguments.nullable_object(index, "a sampler, which SAMPLE_INIT makes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::program::Compiler;
    use crate::variables::Layers;

    fn fails(expression: &str) -> bool {
        Compiler::default().compile(expression).unwrap().evaluate(&Layers::default(), &Environment::default()).is_err()
    }

    #[test]
    fn a_sampler_can_not_hold_itself() {
        assert!(fails("REDUCE([1], (s, x) -> SAMPLE_ADD(s, s), SAMPLE_INIT())"));
        assert!(fails("REDUCE([1], (s, x) -> SAMPLE_ADD(s, [[s]]), SAMPLE_INIT())"));
        assert!(fails("REDUCE([SAMPLE_INIT()], (l, s) -> LIST_ADD(l, SAMPLE_ADD(s, [l])), [])"));
        assert!(!fails("REDUCE([1], (s, x) -> SAMPLE_ADD(s, SAMPLE_INIT()), SAMPLE_INIT())"));
    }

    #[test]
    fn samplers_nested_many_deep_go_without_exhausting_the_stack() {
        let mut value = Value::Null;
        for _ in 0..200_000 {
            let outer = Sampler::value(1);
            outer.as_object::<Sampler>().unwrap().kept.push(value);
            value = outer;
        }
        drop(value);
    }
}
