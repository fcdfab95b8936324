//! `ENCODE`: a text written in an encoding, by its UTF-8 bytes.

use super::codec::Codec;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct Encode;

static DOC: Doc = Doc {
    name: "ENCODE",
    summary: "A text written in an encoding, by its UTF-8 bytes.",
    parameters: &[needs("text", "the text"), needs("encoding", "a name from GET_SUPPORTED_ENCODINGS, in any case")],
    returns: "a text; null for null or an empty text",
    examples: &[
        gives("ENCODE('Hello World', 'BASE64')", "'SGVsbG8gV29ybGQ='"),
        gives("ENCODE('ab', 'BINARY')", "'0110001001100001'"),
        gives("ENCODE('', 'HEX')", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for Encode {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(2, 2)?;
        let codec = Codec::named(arguments)?;
        let text = arguments.nullable_text(0)?.unwrap_or_default();
        if text.is_empty() {
            return Ok(Value::Null);
        }
        context.spend_text(text.len().saturating_mul(8))?;
        Ok(Value::from(codec.encode(text.as_bytes())))
    }
}
