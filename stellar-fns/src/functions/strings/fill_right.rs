//! `FILL_RIGHT`: pads the text form of a value on the right.

use super::pad::{Side, pad};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};

/// See [`DOC`].
pub(crate) struct FillRight;

static DOC: Doc = Doc {
    name: "FILL_RIGHT",
    summary: "Pads the text form of a value on the right.",
    parameters: &[
        needs("value", "any value"),
        needs("fill", "its first character is put behind"),
        needs("length", "how long the text becomes"),
    ],
    returns: "a text; one that is longer is unchanged; null for null",
    examples: &[gives("FILL_RIGHT('123', 'XY', 6)", "'123XXX'"), fails("FILL_RIGHT('123', 'X', null)")],
    purity: Purity::Pure,
};

impl Function for FillRight {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        pad(arguments, context, Side::Right)
    }
}
