//! `SAMPLE_ADD`: a sampler with values given to it, in place.

use std::sync::Arc;

use super::reservoir::Reservoir;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct SampleAdd;

static DOC: Doc = Doc {
    name: "SAMPLE_ADD",
    summary: "A sampler with values given to it, in place.",
    parameters: &[
        needs("sampler", "the sampler; null makes a new one"),
        needs("values", "a value, or a list of values"),
    ],
    returns: "the sampler",
    examples: &[
        gives("SAMPLE_GET(SAMPLE_ADD(SAMPLE_INIT(5), [1, 2]))", "[1, 2]"),
        gives("SAMPLE_GET(SAMPLE_ADD(null, 'a'))", "['a']"),
    ],
    purity: Purity::Pure,
};

impl Function for SampleAdd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let sampler = match arguments.at(0)? {
            Value::Null => Value::Object(Arc::new(Reservoir::new(1024)?)),
            value => value.clone(),
        };
        let values = match arguments.at(1)? {
            Value::List(list) => list.items(),
            Value::Set(set) => set.items(),
            value => vec![value.clone()],
        };
        context.spend(values.len())?;
        let state = sampler.as_object::<Reservoir>().ok_or_else(|| arguments.wrong(0, "a sampler"))?;
        state.add(values)?;
        Ok(sampler)
    }
}
