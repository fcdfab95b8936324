//! `SAMPLE_GET`: what a sampler keeps.

use super::sampler::sampler;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct SampleGet;

static DOC: Doc = Doc {
    name: "SAMPLE_GET",
    summary: "What a sampler keeps.",
    parameters: &[takes("sampler", "what SAMPLE_INIT made")],
    returns: "a list; null for null and without an argument",
    examples: &[
        gives("SAMPLE_GET(SAMPLE_ADD(SAMPLE_INIT(9), [1, 2]))", "[1, 2]"),
        gives("SAMPLE_GET(null)", "null"),
        fails("SAMPLE_GET([1, 2])"),
    ],
    purity: Purity::Pure,
};

impl Function for SampleGet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        if arguments.is_empty() {
            return Ok(Value::Null);
        }
        let Some(sampler) = sampler(arguments, 0)? else { return Ok(Value::Null) };
        let kept = sampler.kept();
        context.spend(kept.len())?;
        Ok(Value::list(kept))
    }
}
