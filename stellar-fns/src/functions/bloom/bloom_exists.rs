//! `BLOOM_EXISTS`: whether a value was probably added to a Bloom filter.

use super::filter::Filter;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct BloomExists;

static DOC: Doc = Doc {
    name: "BLOOM_EXISTS",
    summary: "Whether a value was probably added to a Bloom filter.",
    parameters: &[needs("filter", "the filter; null has no values"), needs("value", "the value")],
    returns: "a boolean; false is sure, true nearly",
    examples: &[
        gives("BLOOM_EXISTS(BLOOM_ADD(BLOOM_INIT(), 'a'), 'a')", "true"),
        gives("BLOOM_EXISTS(null, 'a')", "false"),
    ],
    purity: Purity::Pure,
};

impl Function for BloomExists {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let value = arguments.at(1)?;
        context.spend_key(value)?;
        match arguments.at(0)? {
            Value::Null => Ok(Value::Bool(false)),
            filter => Ok(Value::Bool(
                filter.as_object::<Filter>().ok_or_else(|| arguments.wrong(0, "a Bloom filter"))?.has(value),
            )),
        }
    }
}
