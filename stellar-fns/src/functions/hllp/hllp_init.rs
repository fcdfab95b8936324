//! `HLLP_INIT`: a new sketch of different values.

use std::sync::Arc;

use super::sketch::Sketch;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::{Value, int_of};

/// See [`DOC`].
pub(crate) struct HllpInit;

static DOC: Doc = Doc {
    name: "HLLP_INIT",
    summary: "A new sketch of different values.",
    parameters: &[
        takes("precision", "how precise it is, 4 to 18; 14 without it"),
        takes("sparse", "accepted for the original's sake; the sparse form here has one precision"),
    ],
    returns: "a sketch",
    examples: &[gives("HLLP_CARDINALITY(HLLP_INIT())", "0L"), fails("HLLP_INIT(99)")],
    purity: Purity::Pure,
};

impl Function for HllpInit {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let precision = arguments.get(0).map_or(Some(14), int_of).ok_or_else(|| arguments.wrong(0, "an int"))?;
        context.spend(1 << precision.clamp(0, 18) >> 4)?;
        Ok(Value::Object(Arc::new(Sketch::new(precision)?)))
    }
}
