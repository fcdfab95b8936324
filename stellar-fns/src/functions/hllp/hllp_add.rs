//! `HLLP_ADD`: an estimator that has counted items, in place.

use super::sketch::{PRECISION, Sketch, sketch};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct HllpAdd;

static DOC: Doc = Doc {
    name: "HLLP_ADD",
    summary: "An estimator that has counted items, in place.",
    parameters: &[
        needs("estimator", "what HLLP_INIT made; null makes a new one"),
        needs("items", "an item or a list of items; those with the same text are the same"),
    ],
    returns: "the estimator",
    examples: &[
        gives("HLLP_CARDINALITY(HLLP_ADD(HLLP_INIT(), ['a', 'b', 'a']))", "2L"),
        gives("HLLP_CARDINALITY(HLLP_ADD(null, 'a'))", "1L"),
        fails("HLLP_ADD(HLLP_INIT())"),
        fails("HLLP_ADD(1, 'a')"),
    ],
    purity: Purity::Pure,
};

impl Function for HllpAdd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let items = arguments.at(1)?;
        let changed = match sketch(arguments, 0)? {
            Some(_) => arguments.or_null(0).clone(),
            None => Sketch::value(PRECISION)?,
        };
        if let Some(sketch) = changed.as_object::<Sketch>() {
            match items {
                Value::List(list) => {
                    for item in list.items() {
                        sketch.add(&item, context)?;
                    }
                }
                single => sketch.add(single, context)?,
            }
        }
        Ok(changed)
    }
}
