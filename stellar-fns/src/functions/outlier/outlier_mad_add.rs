//! `OUTLIER_MAD_ADD`: a state with values added, in place.

use super::deviation::deviation;
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::{Number, Value};

/// See [`DOC`].
pub(crate) struct OutlierMadAdd;

static DOC: Doc = Doc {
    name: "OUTLIER_MAD_ADD",
    summary: "A state with values added, in place.",
    parameters: &[
        needs("state", "what OUTLIER_MAD_STATE_MERGE made; null stays null"),
        needs("values", "a number or a list of numbers; null adds nothing"),
    ],
    returns: "the state",
    examples: &[
        gives("OUTLIER_MAD_SCORE(OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE([]), [1, 2, 3, 4]), 2.5)", "0.0"),
        gives("OUTLIER_MAD_ADD(null, 1)", "null"),
        fails("OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE([]), 'a')"),
    ],
    purity: Purity::Pure,
};

impl Function for OutlierMadAdd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let state = deviation(arguments, 0)?;
        let values = match arguments.at(1)? {
            Value::Null => Vec::new(),
            Value::List(list) => list.items(),
            single => vec![single.clone()],
        };
        context.spend(values.len())?;
        let numbers = values.iter().map(|value| {
            value
                .as_number()
                .map(Number::to_double)
                .ok_or_else(|| Fault::wrong_type(format!("a {} is no number to add", value.type_name())))
        });
        let numbers: Vec<f64> = numbers.collect::<Result<_, _>>()?;
        if let Some(state) = state {
            for number in numbers {
                // Each asks the sketch for its median.
                context.spend(100)?;
                state.add(number)?;
            }
        }
        Ok(arguments.or_null(0).clone())
    }
}
