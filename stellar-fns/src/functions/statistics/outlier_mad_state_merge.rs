//! `OUTLIER_MAD_STATE_MERGE`: the state of outlier detection after several: its median and deviations are what later values are compared with.

use std::sync::Arc;

use super::mad::State;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct OutlierMadStateMerge;

static DOC: Doc = Doc {
    name: "OUTLIER_MAD_STATE_MERGE",
    summary: "The state of outlier detection after several: its median and deviations are what later values are compared with.",
    parameters: &[
        needs("states", "a list of states; nulls in it are skipped"),
        takes("current", "another state to add"),
    ],
    returns: "a state",
    examples: &[gives("OUTLIER_MAD_SCORE(OUTLIER_MAD_STATE_MERGE([OUTLIER_MAD_ADD(null, [1, 2, 3])]), 2)", "NaN")],
    purity: Purity::Pure,
};

impl Function for OutlierMadStateMerge {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let mut states = arguments.list_or_set(0, context)?.unwrap_or_default();
        states.extend(arguments.get(1).cloned());
        let mut merged = Vec::new();
        for value in states.iter().filter(|value| !value.is_null()) {
            context.spend(100)?;
            merged.push(value.as_object::<State>().ok_or_else(|| arguments.wrong(0, "a list of states"))?);
        }
        Ok(Value::Object(Arc::new(State::merge(&merged))))
    }
}
