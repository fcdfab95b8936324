//! `SAMPLE_INIT`: a new sampler.

use super::sampler::{SIZE, Sampler};
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::{Value, int_of};

/// See [`DOC`].
pub(crate) struct SampleInit;

static DOC: Doc = Doc {
    name: "SAMPLE_INIT",
    summary: "A new sampler, which keeps a fixed number of the values that it gets, each with the same chance.",
    parameters: &[takes("size", "how many values to keep; 1024")],
    returns: "a sampler",
    examples: &[
        gives("SAMPLE_GET(SAMPLE_INIT(10))", "[]"),
        gives("LENGTH(SAMPLE_GET(SAMPLE_ADD(SAMPLE_INIT(2), [1, 2, 3])))", "2"),
        fails("SAMPLE_INIT(-1)"),
        fails("SAMPLE_INIT('a')"),
    ],
    purity: Purity::Pure,
};

impl Function for SampleInit {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let size = match arguments.or_null(0) {
            Value::Null => Some(SIZE),
            size => int_of(size).and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0),
        };
        size.map(Sampler::value).ok_or_else(|| match arguments.or_null(0).as_number() {
            Some(_) => Fault::argument(format!("argument 1 must be above 0, not {}", arguments.or_null(0))),
            None => arguments.wrong(0, "a positive int"),
        })
    }
}
