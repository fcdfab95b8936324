//! `PROTOCOL_TO_NAME`: the name of an IP protocol.

use super::protocols::name;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::{Number, Value};

/// See [`DOC`].
pub(crate) struct ProtocolToName;

static DOC: Doc = Doc {
    name: "PROTOCOL_TO_NAME",
    summary: "The name of an IP protocol.",
    parameters: &[needs("protocol", "its number, or digits")],
    returns: "a text; anything else is given back",
    examples: &[
        gives("PROTOCOL_TO_NAME(6)", "'TCP'"),
        gives("PROTOCOL_TO_NAME('17')", "'UDP'"),
        gives("PROTOCOL_TO_NAME('chicken')", "'chicken'"),
    ],
    purity: Purity::Pure,
};

impl Function for ProtocolToName {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let value = arguments.at(0)?;
        let number = match value {
            Value::Text(text) => text.parse().ok(),
            value => value.as_number().map(Number::to_long),
        };
        Ok(number.and_then(name).map_or_else(|| value.clone(), Value::text))
    }
}
