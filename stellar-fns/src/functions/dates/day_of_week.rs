//! `DAY_OF_WEEK`: the day of the week: Sunday is 1.

use super::part::part;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};

/// See [`DOC`].
pub(crate) struct DayOfWeek;

static DOC: Doc = Doc {
    name: "DAY_OF_WEEK",
    summary: "The day of the week: Sunday is 1.",
    parameters: &[takes("millis", "the moment in milliseconds since 1970; now without it")],
    returns: "an int; null for what is no number",
    examples: &[gives("DAY_OF_WEEK(1472131630748L)", "5"), gives("DAY_OF_WEEK('x')", "null")],
    purity: Purity::Ambient,
};

impl Function for DayOfWeek {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        part(arguments, context, |date| date.day_of_week())
    }
}
