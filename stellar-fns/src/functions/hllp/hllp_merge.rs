//! `HLLP_MERGE`: a new sketch of the values of several.

use std::sync::Arc;

use super::sketch::Sketch;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct HllpMerge;

static DOC: Doc = Doc {
    name: "HLLP_MERGE",
    summary: "A new sketch of the values of several.",
    parameters: &[needs("sketches", "a list of sketches of one precision; nulls in it are skipped")],
    returns: "a sketch; null if there is none",
    examples: &[
        gives("HLLP_CARDINALITY(HLLP_MERGE([HLLP_ADD(null, 'a'), HLLP_ADD(null, 'b')]))", "2L"),
        gives("HLLP_MERGE([])", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for HllpMerge {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let mut merged: Option<Sketch> = None;
        for value in arguments.list_or_set(0, context)?.into_iter().flatten().filter(|value| !value.is_null()) {
            let sketch = value.as_object::<Sketch>().ok_or_else(|| arguments.wrong(0, "a list of sketches"))?;
            context.spend(sketch.cost())?;
            match &merged {
                None => merged = Some(sketch.copy()),
                Some(merged) => merged.merge(sketch)?,
            }
        }
        Ok(merged.map_or(Value::Null, |sketch| Value::Object(Arc::new(sketch))))
    }
}
