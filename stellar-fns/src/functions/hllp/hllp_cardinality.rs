//! `HLLP_CARDINALITY`: how many different items an estimator has counted.

use super::sketch::Sketch;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct HllpCardinality;

static DOC: Doc = Doc {
    name: "HLLP_CARDINALITY",
    summary: "How many different items an estimator has counted, estimated.",
    parameters: &[takes("estimator", "what HLLP_INIT made")],
    returns: "a long; 0 for null and anything else",
    examples: &[
        gives("HLLP_CARDINALITY(HLLP_ADD(HLLP_INIT(), [1, 2, '2']))", "2L"),
        gives("HLLP_CARDINALITY(null)", "0L"),
        gives("HLLP_CARDINALITY('a')", "0L"),
    ],
    purity: Purity::Pure,
};

/// What looking through the registers costs.
const STEPS: usize = 1_000;

impl Function for HllpCardinality {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let sketch = arguments.or_null(0).as_object::<Sketch>().filter(|_| arguments.len() == 1);
        let Some(sketch) = sketch else { return Ok(Value::Long(0)) };
        context.spend(STEPS)?;
        Ok(Value::Long(sketch.cardinality()))
    }
}
