//! `MONTH`: the month: January is 0.

use super::part::part;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};

/// See [`DOC`].
pub(crate) struct Month;

static DOC: Doc = Doc {
    name: "MONTH",
    summary: "The month: January is 0.",
    parameters: &[takes("millis", "the moment in milliseconds since 1970; now without it")],
    returns: "an int; null for what is no number",
    examples: &[gives("MONTH(1472131630748L)", "7"), gives("MONTH('x')", "null")],
    purity: Purity::Ambient,
};

impl Function for Month {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        part(arguments, context, |date| date.month())
    }
}
