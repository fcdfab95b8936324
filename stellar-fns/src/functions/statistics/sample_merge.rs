//! `SAMPLE_MERGE`: a new sampler that was given what several keep.

use std::sync::Arc;

use super::reservoir::Reservoir;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct SampleMerge;

static DOC: Doc = Doc {
    name: "SAMPLE_MERGE",
    summary: "A new sampler that was given what several keep.",
    parameters: &[
        needs("samplers", "a list of samplers; nulls in it are skipped"),
        takes("base", "a sampler whose size the new one takes, and what it keeps"),
    ],
    returns: "a sampler; null if there is none",
    examples: &[
        gives("SAMPLE_GET(SAMPLE_MERGE([SAMPLE_ADD(null, 1), SAMPLE_ADD(null, 2)]))", "[1, 2]"),
        gives("SAMPLE_MERGE([])", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for SampleMerge {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let samplers =
            arguments.get(1).cloned().into_iter().chain(arguments.list_or_set(0, context)?.into_iter().flatten());
        let mut merged: Option<Reservoir> = None;
        for value in samplers.filter(|value| !value.is_null()) {
            let sampler = value.as_object::<Reservoir>().ok_or_else(|| arguments.wrong(0, "a list of samplers"))?;
            let kept = sampler.kept();
            context.spend(kept.len())?;
            let target = match merged.take() {
                None => sampler.empty_like()?,
                Some(target) => target,
            };
            target.add(kept)?;
            merged = Some(target);
        }
        Ok(merged.map_or(Value::Null, |sampler| Value::Object(Arc::new(sampler))))
    }
}
