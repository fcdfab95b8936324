//! `WEEK_OF_YEAR`: the week of the year; weeks begin on Sunday, the first one holds January 1.

use super::part::part;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};

/// See [`DOC`].
pub(crate) struct WeekOfYear;

static DOC: Doc = Doc {
    name: "WEEK_OF_YEAR",
    summary: "The week of the year; weeks begin on Sunday, the first one holds January 1.",
    parameters: &[takes("millis", "the moment in milliseconds since 1970; now without it")],
    returns: "an int; null for what is no number",
    examples: &[gives("WEEK_OF_YEAR(1472131630748L)", "35"), gives("WEEK_OF_YEAR('x')", "null")],
    purity: Purity::Ambient,
};

impl Function for WeekOfYear {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        part(arguments, context, |date| date.week_of_year())
    }
}
