//! `BLOOM_INIT`: a new Bloom filter.
//!
//! The original reads the number of items only when two arguments are given, and the rate only when three are; so does this.

use std::sync::Arc;

use super::filter::Filter;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};
use crate::value::{Value, float_of, int_of};

/// See [`DOC`].
pub(crate) struct BloomInit;

static DOC: Doc = Doc {
    name: "BLOOM_INIT",
    summary: "A new Bloom filter.",
    parameters: &[
        takes("items", "how many items are expected; 100,000 unless two arguments are given"),
        takes("rate", "the rate of false positives; 0.01 unless three arguments are given"),
    ],
    returns: "a Bloom filter",
    examples: &[gives("BLOOM_EXISTS(BLOOM_INIT(), 'a')", "false")],
    purity: Purity::Pure,
};

impl Function for BloomInit {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let items = if arguments.len() > 1 {
            int_of(arguments.at(0)?).ok_or_else(|| arguments.wrong(0, "an int"))?
        } else {
            100_000
        };
        let rate = if arguments.len() > 2 {
            float_of(arguments.at(1)?).ok_or_else(|| arguments.wrong(1, "a number"))?
        } else {
            0.01
        };
        let filter = Filter::new(items, f64::from(rate))?;
        context.spend(filter.cost())?;
        Ok(Value::Object(Arc::new(filter)))
    }
}
