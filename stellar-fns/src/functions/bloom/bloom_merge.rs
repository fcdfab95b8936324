//! `BLOOM_MERGE`: a new Bloom filter with the values of several.

use std::sync::Arc;

use super::filter::Filter;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct BloomMerge;

static DOC: Doc = Doc {
    name: "BLOOM_MERGE",
    summary: "A new Bloom filter with the values of several.",
    parameters: &[needs("filters", "a list of filters of one size; nulls in it are skipped")],
    returns: "a Bloom filter; null if there is none",
    examples: &[
        gives("BLOOM_EXISTS(BLOOM_MERGE([BLOOM_ADD(null, 'a'), BLOOM_ADD(null, 'b')]), 'b')", "true"),
        gives("BLOOM_MERGE([])", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for BloomMerge {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let mut merged: Option<Filter> = None;
        for value in arguments.list_or_set(0, context)?.into_iter().flatten().filter(|value| !value.is_null()) {
            let filter = value.as_object::<Filter>().ok_or_else(|| arguments.wrong(0, "a list of Bloom filters"))?;
            context.spend(filter.cost())?;
            merged = Some(match merged {
                None => filter.copy(),
                Some(merged) => {
                    merged.merge(filter)?;
                    merged
                }
            });
        }
        Ok(merged.map_or(Value::Null, |filter| Value::Object(Arc::new(filter))))
    }
}
