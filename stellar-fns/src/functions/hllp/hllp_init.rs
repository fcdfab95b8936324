//! `HLLP_INIT`: a new estimator of how many different items there are.

use super::sketch::{PRECISION, Sketch};
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::int_of;

/// See [`DOC`].
pub(crate) struct HllpInit;

static DOC: Doc = Doc {
    name: "HLLP_INIT",
    summary: "A new estimator of how many different items there are.",
    parameters: &[
        takes("p", "its precision, 4 to 18: 2^p registers; 14"),
        takes("sp", "the precision for few items, p to 32, or 0; it is checked, and always 25"),
    ],
    returns: "an estimator, for the other HLLP functions",
    examples: &[
        gives("HLLP_CARDINALITY(HLLP_INIT())", "0L"),
        gives("HLLP_CARDINALITY(HLLP_ADD(HLLP_INIT(5, 6), 'a'))", "1L"),
        fails("HLLP_INIT(3)"),
        fails("HLLP_INIT(14, 5)"),
        fails("HLLP_INIT('a')"),
    ],
    purity: Purity::Pure,
};

impl Function for HllpInit {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let int = |index: usize, default: i32| match arguments.get(index) {
            None => Ok(default),
            Some(value) => int_of(value).ok_or_else(|| arguments.wrong(index, "an int")),
        };
        let (precision, sparse) = (int(0, PRECISION)?, int(1, 0)?);
        if sparse != 0 && !(precision..=32).contains(&sparse) {
            return Err(Fault::argument(format!("sp must lie between p and 32, or be 0, not {sparse}")));
        }
        Sketch::value(precision)
    }
}
