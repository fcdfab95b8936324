//! `YEAR`: the year.

use super::part::part;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};

/// See [`DOC`].
pub(crate) struct Year;

static DOC: Doc = Doc {
    name: "YEAR",
    summary: "The year.",
    parameters: &[takes("millis", "the moment in milliseconds since 1970; now without it")],
    returns: "an int; null for what is no number",
    examples: &[gives("YEAR(1472131630748L)", "2016"), gives("YEAR('x')", "null")],
    purity: Purity::Ambient,
};

impl Function for Year {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        part(arguments, context, |date| date.year_of_era())
    }
}
