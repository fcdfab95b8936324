//! `OUTLIER_MAD_ADD`: a state of outlier detection with numbers added, in place.

use std::sync::Arc;

use super::mad::State;
use super::state::numbers;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct OutlierMadAdd;

static DOC: Doc = Doc {
    name: "OUTLIER_MAD_ADD",
    summary: "A state of outlier detection with numbers added, in place.",
    parameters: &[
        needs("state", "what OUTLIER_MAD_STATE_MERGE made; null makes a new one"),
        needs("numbers", "a number or a list of numbers; nulls are ignored"),
    ],
    returns: "the state",
    examples: &[fails("OUTLIER_MAD_ADD('x', 1)"), gives("OUTLIER_MAD_SCORE(OUTLIER_MAD_ADD(null, 1), 1)", "NaN")],
    purity: Purity::Pure,
};

impl Function for OutlierMadAdd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let state = match arguments.at(0)? {
            Value::Null => Value::Object(Arc::new(State::merge(&[]))),
            value => value.clone(),
        };
        let numbers = numbers(arguments.at(1)?)?;
        context.spend(numbers.len())?;
        state.as_object::<State>().ok_or_else(|| arguments.wrong(0, "a state"))?.add(&numbers);
        Ok(state)
    }
}
