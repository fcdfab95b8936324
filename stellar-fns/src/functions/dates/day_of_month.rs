//! `DAY_OF_MONTH`: the day of the month, from 1.

use super::part::part;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};

/// See [`DOC`].
pub(crate) struct DayOfMonth;

static DOC: Doc = Doc {
    name: "DAY_OF_MONTH",
    summary: "The day of the month, from 1.",
    parameters: &[takes("millis", "the moment in milliseconds since 1970; now without it")],
    returns: "an int; null for what is no number",
    examples: &[gives("DAY_OF_MONTH(1472131630748L)", "25"), gives("DAY_OF_MONTH('x')", "null")],
    purity: Purity::Ambient,
};

impl Function for DayOfMonth {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        part(arguments, context, |date| date.day_of_month())
    }
}
