//! `FILL_LEFT`: pads the text form of a value on the left.

use super::pad::{Side, pad};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct FillLeft;

static DOC: Doc = Doc {
    name: "FILL_LEFT",
    summary: "Pads the text form of a value on the left.",
    parameters: &[
        needs("value", "any value"),
        needs("fill", "its first character is put in front"),
        needs("length", "how long the text becomes"),
    ],
    returns: "a text; one that is longer is unchanged; null for null",
    examples: &[gives("FILL_LEFT('123', 'X', 6)", "'XXX123'"), fails("FILL_LEFT('123', '', 6)")],
    purity: Purity::Pure,
};

impl Function for FillLeft {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        pad(arguments, context, Side::Left)
    }
}
