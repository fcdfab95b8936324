//! `WEEK_OF_MONTH`: the week of the month, from 1; weeks begin on Sunday.

use super::part::part;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};

/// See [`DOC`].
pub(crate) struct WeekOfMonth;

static DOC: Doc = Doc {
    name: "WEEK_OF_MONTH",
    summary: "The week of the month, from 1; weeks begin on Sunday.",
    parameters: &[takes("millis", "the moment in milliseconds since 1970; now without it")],
    returns: "an int; null for what is no number",
    examples: &[gives("WEEK_OF_MONTH(1472131630748L)", "4"), gives("WEEK_OF_MONTH('x')", "null")],
    purity: Purity::Ambient,
};

impl Function for WeekOfMonth {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        part(arguments, context, |date| date.week_of_month())
    }
}
