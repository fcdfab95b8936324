//! `STATS_INIT`: new statistics, of all values or of the latest ones.

use super::online::Online;
use super::state::{State, Statistics};
use super::window::Window;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::int_of;

/// See [`DOC`].
pub(crate) struct StatsInit;

static DOC: Doc = Doc {
    name: "STATS_INIT",
    summary: "New statistics, of all values or of the latest ones.",
    parameters: &[takes(
        "window",
        "how many of the latest values to keep; 0 and anything but a number: all, as a sketch",
    )],
    returns: "statistics, for the other STATS functions",
    examples: &[
        gives("STATS_COUNT(STATS_INIT())", "0.0"),
        gives("STATS_SUM(STATS_ADD(STATS_INIT(2), 1, 2, 3))", "5.0"),
        fails("STATS_INIT(3000000000)"),
    ],
    purity: Purity::Pure,
};

impl Function for StatsInit {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let size = match arguments.get(0).filter(|value| value.as_number().is_some()) {
            Some(number) => int_of(number).ok_or_else(|| arguments.wrong(0, "a number of values that fits an int"))?,
            None => 0,
        };
        Ok(Statistics::value(match usize::try_from(size) {
            Ok(size) if size > 0 => State::Window(Window::new(size)),
            _ => State::Online(Online::default()),
        }))
    }
}
