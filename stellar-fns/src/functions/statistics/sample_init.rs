//! `SAMPLE_INIT`: a sampler that keeps a uniform sample of what it is given.

use std::sync::Arc;

use super::reservoir::Reservoir;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::{Value, int_of};

/// See [`DOC`].
pub(crate) struct SampleInit;

static DOC: Doc = Doc {
    name: "SAMPLE_INIT",
    summary: "A sampler that keeps a uniform sample of what it is given.",
    parameters: &[takes("size", "how many values it keeps; 1024 without it")],
    returns: "a sampler",
    examples: &[gives("SAMPLE_GET(SAMPLE_INIT(2))", "[]"), fails("SAMPLE_INIT(-10)")],
    purity: Purity::Pure,
};

impl Function for SampleInit {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let size = arguments.get(0).map_or(Some(1024), int_of).ok_or_else(|| arguments.wrong(0, "an int"))?;
        Ok(Value::Object(Arc::new(Reservoir::new(size)?)))
    }
}
