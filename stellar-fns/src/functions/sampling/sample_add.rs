//! `SAMPLE_ADD`: a sampler that was offered values, in place.

use super::sampler::{SIZE, Sampler, sampler};
use crate::error::{Code, Fault};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct SampleAdd;

static DOC: Doc = Doc {
    name: "SAMPLE_ADD",
    summary: "A sampler that was offered values, in place.",
    parameters: &[
        takes("sampler", "what SAMPLE_INIT made; null makes a new one"),
        takes("values", "a value, or a list or set of values; nulls are skipped"),
    ],
    returns: "the sampler; null without arguments",
    examples: &[
        gives("SAMPLE_GET(SAMPLE_ADD(SAMPLE_ADD(SAMPLE_INIT(9), 1), ['a', null, 'b']))", "[1, 'a', 'b']"),
        gives("SAMPLE_GET(SAMPLE_ADD(null, 1))", "[1]"),
        gives("SAMPLE_ADD()", "null"),
        fails("SAMPLE_ADD('a', 1)"),
        fails("SAMPLE_ADD(SAMPLE_INIT())"),
    ],
    purity: Purity::Pure,
};

impl Function for SampleAdd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        if arguments.is_empty() {
            return Ok(Value::Null);
        }
        let Some(values) = arguments.get(1) else {
            return Err(Fault::new(Code::ArgumentCount, "takes a sampler and what to add"));
        };
        let changed = match sampler(arguments, 0)? {
            Some(_) => arguments.or_null(0).clone(),
            None => Sampler::value(SIZE),
        };
        if let Some(sampler) = changed.as_object::<Sampler>() {
            match values {
                Value::List(list) => sampler.offer(&list.items(), context)?,
                Value::Set(set) => sampler.offer(&set.items(), context)?,
                single => sampler.offer(std::slice::from_ref(single), context)?,
            }
        }
        Ok(changed)
    }
}
