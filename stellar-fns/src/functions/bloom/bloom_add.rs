//! `BLOOM_ADD`: a Bloom filter with values added, in place.

use std::sync::Arc;

use super::filter::Filter;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct BloomAdd;

static DOC: Doc = Doc {
    name: "BLOOM_ADD",
    summary: "A Bloom filter with values added, in place.",
    parameters: &[needs("filter", "the filter; null makes a new one"), needs("values…", "what to add")],
    returns: "the filter",
    examples: &[gives("BLOOM_EXISTS(BLOOM_ADD(BLOOM_INIT(), 'a', 1), 1)", "true"), fails("BLOOM_ADD('a', 1)")],
    purity: Purity::Pure,
};

impl Function for BloomAdd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let filter = match arguments.at(0)? {
            Value::Null => {
                let filter = Filter::new(100_000, 0.01)?;
                context.spend(filter.cost())?;
                Value::Object(Arc::new(filter))
            }
            value => value.clone(),
        };
        let state = filter.as_object::<Filter>().ok_or_else(|| arguments.wrong(0, "a Bloom filter"))?;
        for value in arguments.iter().skip(1) {
            context.spend_key(value)?;
            state.add(value);
        }
        Ok(filter)
    }
}
