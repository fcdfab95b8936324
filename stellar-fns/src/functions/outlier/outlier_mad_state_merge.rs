//! `OUTLIER_MAD_STATE_MERGE`: a state that judges by what earlier states have seen.

use super::deviation::{Deviation, Period, deviation};
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct OutlierMadStateMerge;

static DOC: Doc = Doc {
    name: "OUTLIER_MAD_STATE_MERGE",
    summary: "A state that judges by what earlier states have seen.",
    parameters: &[
        needs("states", "a list of states; null for none"),
        takes("state", "one more state, that of the current period"),
    ],
    returns: "a new state",
    examples: &[
        gives(
            "OUTLIER_MAD_SCORE(OUTLIER_MAD_STATE_MERGE([OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE(null), [1, 2, 3, 4])]), 10, 2)",
            "10.0",
        ),
        gives("OUTLIER_MAD_SCORE(OUTLIER_MAD_STATE_MERGE([]), 1)", "NaN"),
        fails("OUTLIER_MAD_STATE_MERGE([1])"),
    ],
    purity: Purity::Pure,
};

/// What merging costs: four sketches of some hundred groups.
const STEPS: usize = 2_000;

impl Function for OutlierMadStateMerge {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let states = match arguments.at(0)? {
            Value::Null => Vec::new(),
            Value::List(list) => list.items(),
            _ => return Err(arguments.wrong(0, "a list of states")),
        };
        let current = if arguments.len() > 1 { deviation(arguments, 1)? } else { None };
        let mut window = current.map_or_else(Period::default, Deviation::own);
        for state in &states {
            context.spend(STEPS)?;
            let state = state
                .as_object::<Deviation>()
                .ok_or_else(|| Fault::wrong_type(format!("the list holds a {}, not only states", state.type_name())))?;
            window = window.merge(&state.own())?;
        }
        Ok(Deviation::value(window))
    }
}
