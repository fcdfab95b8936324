//! `SAMPLE_GET`: what a sampler keeps.

use super::reservoir::Reservoir;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct SampleGet;

static DOC: Doc = Doc {
    name: "SAMPLE_GET",
    summary: "What a sampler keeps.",
    parameters: &[needs("sampler", "the sampler")],
    returns: "a list; null for null",
    examples: &[gives("SAMPLE_GET(SAMPLE_ADD(null, [1, 2, 3]))", "[1, 2, 3]"), gives("SAMPLE_GET(null)", "null")],
    purity: Purity::Pure,
};

impl Function for SampleGet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        match arguments.at(0)? {
            Value::Null => Ok(Value::Null),
            value => {
                Ok(Value::list(value.as_object::<Reservoir>().ok_or_else(|| arguments.wrong(0, "a sampler"))?.kept()))
            }
        }
    }
}
