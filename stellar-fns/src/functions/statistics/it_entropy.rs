//! `IT_ENTROPY`: the entropy of a multiset in bits.

use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct ItEntropy;

static DOC: Doc = Doc {
    name: "IT_ENTROPY",
    summary: "The entropy of a multiset in bits.",
    parameters: &[needs("multiset", "a map from item to count")],
    returns: "a double; null for null",
    examples: &[
        gives("IT_ENTROPY({'a' : 10, 'b' : 5, 'c' : 5})", "1.5"),
        gives("IT_ENTROPY({})", "0.0"),
        gives("IT_ENTROPY(null)", "null"),
        fails("IT_ENTROPY([1, 2])"),
        fails("IT_ENTROPY({'a' : 'b'})"),
    ],
    purity: Purity::Pure,
};

impl Function for ItEntropy {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let Some(map) = arguments.nullable_map(0)? else { return Ok(Value::Null) };
        context.spend(map.len())?;
        let table = map.read();
        let counts = table.values().map(|count| match count {
            Value::Int(count) => Ok(*count),
            other => Err(Fault::wrong_type(format!("a count must be an int, not {}", other.type_name()))),
        });
        let counts: Vec<i32> = counts.collect::<Result<_, _>>()?;
        let all = counts.iter().fold(0_i32, |sum, count| sum.wrapping_add(*count));
        let bits = counts.iter().map(|count| {
            let share = f64::from(*count) / f64::from(all);
            share * share.log2()
        });
        Ok(Value::Double(bits.fold(0.0, |entropy, bits| entropy - bits)))
    }
}
