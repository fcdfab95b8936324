//! `STRING_ENTROPY`: the Shannon entropy of a text in bits per UTF-16 unit.

use std::collections::HashMap;

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::functions::entropy::entropy;
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct StringEntropy;

static DOC: Doc = Doc {
    name: "STRING_ENTROPY",
    summary: "The Shannon entropy of a text in bits per UTF-16 unit.",
    parameters: &[needs("text", "the text; other values count by their text form")],
    returns: "a double; 0.0 for null or an empty text",
    examples: &[
        gives("STRING_ENTROPY('aabb')", "1.0"),
        gives("STRING_ENTROPY('')", "0.0"),
        gives("STRING_ENTROPY(12)", "1.0"),
    ],
    purity: Purity::Pure,
};

impl Function for StringEntropy {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let Some(text) = arguments.nullable_text_form(0, context)? else { return Ok(Value::Double(0.0)) };
        context.spend(text.len())?;
        let mut counts: HashMap<u16, f64> = HashMap::new();
        for unit in text.encode_utf16() {
            *counts.entry(unit).or_default() += 1.0;
        }
        Ok(Value::Double(entropy(&counts.into_values().collect::<Vec<_>>())))
    }
}
