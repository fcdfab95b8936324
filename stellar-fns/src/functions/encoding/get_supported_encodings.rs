//! `GET_SUPPORTED_ENCODINGS`: the names of the encodings.

use super::codec::Codec;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct GetSupportedEncodings;

static DOC: Doc = Doc {
    name: "GET_SUPPORTED_ENCODINGS",
    summary: "The names of the encodings.",
    parameters: &[],
    returns: "a list of texts",
    examples: &[gives("GET_SUPPORTED_ENCODINGS()", "['BASE32', 'BASE32HEX', 'BASE64', 'BINARY', 'HEX']")],
    purity: Purity::Pure,
};

impl Function for GetSupportedEncodings {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, _: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        Ok(Value::list(Codec::ALL.iter().map(|codec| Value::text(codec.name()))))
    }
}
