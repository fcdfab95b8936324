//! `HLLP_CARDINALITY`: how many different values a sketch was given, estimated.

use super::sketch::Sketch;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct HllpCardinality;

static DOC: Doc = Doc {
    name: "HLLP_CARDINALITY",
    summary: "How many different values a sketch was given, estimated.",
    parameters: &[needs("sketch", "the sketch")],
    returns: "a long; 0 for null",
    examples: &[
        gives("HLLP_CARDINALITY(null)", "0L"),
        gives("HLLP_CARDINALITY(HLLP_ADD(null, ['a', 'b', 'c']))", "3L"),
    ],
    purity: Purity::Pure,
};

impl Function for HllpCardinality {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        match arguments.at(0)? {
            Value::Null => Ok(Value::Long(0)),
            value => {
                let sketch = value.as_object::<Sketch>().ok_or_else(|| arguments.wrong(0, "a sketch"))?;
                context.spend(sketch.cost())?;
                Ok(Value::Long(sketch.cardinality()))
            }
        }
    }
}
