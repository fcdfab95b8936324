//! `IS_ENCODING`: whether a text is written in an encoding.

use super::codec::Codec;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct IsEncoding;

static DOC: Doc = Doc {
    name: "IS_ENCODING",
    summary: "Whether a text is written in an encoding.",
    parameters: &[needs("text", "the text"), needs("encoding", "a name from GET_SUPPORTED_ENCODINGS, in any case")],
    returns: "a boolean; false for null or an empty text",
    examples: &[
        gives("IS_ENCODING('48656c6c6f', 'hex')", "true"),
        gives("IS_ENCODING('Hello', 'BASE32')", "false"),
        fails("IS_ENCODING('x', 'ROT13')"),
    ],
    purity: Purity::Pure,
};

impl Function for IsEncoding {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        arguments.expect(2, 2)?;
        let codec = Codec::named(arguments)?;
        let text = arguments.nullable_text(0)?.unwrap_or_default();
        Ok(Value::Bool(!text.is_empty() && codec.is_written(text)))
    }
}
