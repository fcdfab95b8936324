//! `HASH`: the digest of a text, or its TLSH hash.

use super::{charset, digests, tlsh};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct Hash;

static DOC: Doc = Doc {
    name: "HASH",
    summary: "The digest of a text, or its TLSH hash.",
    parameters: &[
        needs("value", "a text; null gives zeros"),
        needs("algorithm", "a name from GET_HASHES_AVAILABLE, in any case; null gives null"),
        takes("config", "a map: `charset` for digests; `bucketSize`, `checksumBytes`, `hashes` and `force` for tlsh"),
    ],
    returns: "hexadecimal text",
    examples: &[
        gives("HASH('abc', 'MD5')", "'900150983cd24fb0d6963f7d28e17f72'"),
        gives("HASH('abc', 'sha-1')", "'a9993e364706816aba3e25717850c26c9cd0d89d'"),
        gives("HASH(null, 'MD5')", "'00000000000000000000000000000000'"),
        gives("HASH('short', 'tlsh')", "null"),
        gives("HASH('abc', null)", "null"),
        fails("HASH('abc', 'nothing')"),
    ],
    purity: Purity::Pure,
};

impl Function for Hash {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(2, 3)?;
        let config = if arguments.len() > 2 { arguments.nullable_map(2)? } else { None };
        let Some(algorithm) = arguments.nullable_text(1)? else { return Ok(Value::Null) };
        if algorithm.eq_ignore_ascii_case("tlsh") {
            return tlsh::hash(arguments, config, context);
        }
        let text = match arguments.at(0)? {
            Value::Null => None,
            Value::Text(text) => Some(text.as_str()),
            _ => return Err(arguments.wrong(0, "a text; other values have no bytes here, use TO_STRING")),
        };
        context.spend(text.map_or(0, |text| text.len() / 16))?;
        let bytes = text
            .map(|text| charset::encode(text, config.and_then(|config| config.get_text("charset")).as_ref()))
            .transpose()?;
        digests::digest(algorithm, bytes.as_deref()).map(Value::from)
    }
}
