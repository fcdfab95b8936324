//! `HLLP_ADD`: a sketch with values added, in place.

use std::sync::Arc;

use super::sketch::Sketch;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct HllpAdd;

static DOC: Doc = Doc {
    name: "HLLP_ADD",
    summary: "A sketch with values added, in place.",
    parameters: &[
        needs("sketch", "the sketch; null makes a new one"),
        needs("values…", "values, or lists of values; nulls are ignored"),
    ],
    returns: "the sketch",
    examples: &[
        gives("HLLP_CARDINALITY(HLLP_ADD(HLLP_INIT(), 'a', ['b', 'a']))", "2L"),
        gives("HLLP_CARDINALITY(HLLP_ADD(null, 1))", "1L"),
    ],
    purity: Purity::Pure,
};

impl Function for HllpAdd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let sketch = match arguments.at(0)? {
            Value::Null => Value::Object(Arc::new(Sketch::new(14)?)),
            value => value.clone(),
        };
        let state = sketch.as_object::<Sketch>().ok_or_else(|| arguments.wrong(0, "a sketch"))?;
        for value in arguments.iter().skip(1) {
            match value {
                Value::List(list) => {
                    context.spend(list.len())?;
                    list.items().iter().for_each(|item| state.add(item));
                }
                value => state.add(value),
            }
        }
        Ok(sketch)
    }
}
