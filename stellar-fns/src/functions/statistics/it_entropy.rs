//! `IT_ENTROPY`: the Shannon entropy in bits of what a multiset counts.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::functions::entropy::entropy;
use crate::value::{Value, double_of};

/// See [`DOC`].
pub(crate) struct ItEntropy;

static DOC: Doc = Doc {
    name: "IT_ENTROPY",
    summary: "The Shannon entropy in bits of what a multiset counts.",
    parameters: &[needs("multiset", "a map from item to count")],
    returns: "a double; NaN for null",
    examples: &[gives("IT_ENTROPY({'a' : 10, 'b' : 5, 'c' : 5})", "1.5"), gives("IT_ENTROPY({})", "0.0")],
    purity: Purity::Pure,
};

impl Function for ItEntropy {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let Some(map) = arguments.nullable_map(0)? else { return Ok(Value::Double(f64::NAN)) };
        context.spend(map.len())?;
        let table = map.read();
        let counts: Option<Vec<f64>> = table.values().map(double_of).collect();
        Ok(Value::Double(entropy(&counts.ok_or_else(|| arguments.wrong(0, "a map from item to count"))?)))
    }
}
