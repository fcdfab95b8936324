//! `SAMPLE_MERGE`: a sampler that was offered what several others keep.

use super::sampler::{Sampler, sampler};
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct SampleMerge;

static DOC: Doc = Doc {
    name: "SAMPLE_MERGE",
    summary: "A sampler that was offered what several others keep.",
    parameters: &[
        takes("samplers", "a list or set of samplers"),
        takes("base", "the sampler to add to, in place; without it a new one of the size of the first"),
    ],
    returns: "the sampler; null for null, for none, and without arguments",
    examples: &[
        gives("SAMPLE_GET(SAMPLE_MERGE([SAMPLE_ADD(SAMPLE_INIT(9), [1, 2]), SAMPLE_ADD(null, 3)]))", "[1, 2, 3]"),
        gives("LENGTH(SAMPLE_GET(SAMPLE_MERGE([SAMPLE_ADD(null, [1, 2, 3])], SAMPLE_INIT(2))))", "2"),
        gives("SAMPLE_MERGE([])", "null"),
        fails("SAMPLE_MERGE([1])"),
        fails("SAMPLE_MERGE(SAMPLE_INIT())"),
    ],
    purity: Purity::Pure,
};

impl Function for SampleMerge {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        if arguments.is_empty() {
            return Ok(Value::Null);
        }
        let items = arguments.list_or_set(0, context)?.unwrap_or_default();
        let samplers = items.iter().map(|item| {
            item.as_object::<Sampler>()
                .ok_or_else(|| Fault::wrong_type(format!("the list holds a {}, not only samplers", item.type_name())))
        });
        let samplers: Vec<&Sampler> = samplers.collect::<Result<_, _>>()?;
        let base = if arguments.len() > 1 { sampler(arguments, 1)? } else { None };
        let Some(first) = samplers.first() else { return Ok(Value::Null) };
        let merged = match base {
            Some(_) => arguments.or_null(1).clone(),
            None => Sampler::value(first.size()),
        };
        if let Some(target) = merged.as_object::<Sampler>() {
            for sampler in &samplers {
                let kept = sampler.kept();
                target.offer(&kept, context)?;
            }
        }
        Ok(merged)
    }
}
