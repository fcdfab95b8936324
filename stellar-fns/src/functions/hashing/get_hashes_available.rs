//! `GET_HASHES_AVAILABLE`: the names of the algorithms that HASH knows.

use super::digests;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct GetHashesAvailable;

static DOC: Doc = Doc {
    name: "GET_HASHES_AVAILABLE",
    summary: "The names of the algorithms that HASH knows.",
    parameters: &[],
    returns: "a list of texts",
    examples: &[gives("'SHA-256' in GET_HASHES_AVAILABLE()", "true"), fails("GET_HASHES_AVAILABLE('x')")],
    purity: Purity::Pure,
};

impl Function for GetHashesAvailable {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        arguments.expect(0, 0)?;
        Ok(Value::list(digests::NAMES.iter().chain(["TLSH"].iter()).map(Value::text)))
    }
}
