//! `HLLP_MERGE`: a new estimator that has counted what several have.

use super::sketch::Sketch;
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct HllpMerge;

static DOC: Doc = Doc {
    name: "HLLP_MERGE",
    summary: "A new estimator that has counted what several have.",
    parameters: &[needs("estimators", "an estimator or a list of estimators, all of the same precision")],
    returns: "an estimator; a single one itself; null for an empty list and for null",
    examples: &[
        gives("HLLP_CARDINALITY(HLLP_MERGE([HLLP_ADD(null, ['a', 'b']), HLLP_ADD(null, ['b', 'c'])]))", "3L"),
        gives("HLLP_MERGE([])", "null"),
        fails("HLLP_MERGE([HLLP_INIT(5), HLLP_INIT(6)])"),
        fails("HLLP_MERGE('a')"),
        fails("HLLP_MERGE()"),
    ],
    purity: Purity::Pure,
};

/// What copying and merging registers costs.
const STEPS: usize = 2_000;

impl Function for HllpMerge {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(1, 1)?;
        let items = match arguments.or_null(0) {
            Value::List(list) => list.items(),
            single => vec![single.clone()],
        };
        context.spend(items.len().saturating_mul(STEPS))?;
        if let [Value::Null] = items.as_slice() {
            return Ok(Value::Null);
        }
        let sketches = items.iter().map(|item| {
            item.as_object::<Sketch>()
                .ok_or_else(|| Fault::wrong_type(format!("only estimators can be merged, not a {}", item.type_name())))
        });
        let sketches: Vec<&Sketch> = sketches.collect::<Result<_, _>>()?;
        match sketches.split_first() {
            None => Ok(Value::Null),
            Some((_, [])) => Ok(items[0].clone()),
            Some((first, others)) => first.merged(others),
        }
    }
}
