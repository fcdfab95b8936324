//! `DECODE`: what a text in an encoding says, read as UTF-8.

use super::codec::Codec;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::value::{Value, boolean_of};

/// See [`DOC`].
pub(crate) struct Decode;

static DOC: Doc = Doc {
    name: "DECODE",
    summary: "What a text in an encoding says, read as UTF-8.",
    parameters: &[
        needs("text", "the text"),
        needs("encoding", "a name from GET_SUPPORTED_ENCODINGS, in any case"),
        takes("verify", "true: a text that isn't written in the encoding is given back"),
    ],
    returns: "a text; null for null or an empty text",
    examples: &[
        gives("DECODE('SGVsbG8gV29ybGQ=', 'BASE64')", "'Hello World'"),
        gives("DECODE('48656c6c6f', 'HEX')", "'Hello'"),
        gives("DECODE('Hello World', 'BASE32', true)", "'Hello World'"),
        gives("DECODE('xyz', 'HEX')", "'xyz'"),
    ],
    purity: Purity::Pure,
};

impl Function for Decode {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(2, 3)?;
        let codec = Codec::named(arguments)?;
        let text = arguments.nullable_text(0)?.unwrap_or_default();
        if text.is_empty() {
            return Ok(Value::Null);
        }
        let verify = boolean_of(arguments.or_null(2));
        context.spend_text(text.len())?;
        let decoded = if verify && !codec.is_written(text) { None } else { codec.decode(text) };
        let Some(bytes) = decoded else { return Ok(Value::text(text)) };
        let decoded = String::from_utf8_lossy(&bytes);
        context.check_text(decoded.len())?;
        Ok(Value::text(decoded))
    }
}
