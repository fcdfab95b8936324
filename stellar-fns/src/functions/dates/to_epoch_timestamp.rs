//! `TO_EPOCH_TIMESTAMP`: the moment that a text names, in milliseconds since 1970.

use std::sync::Arc;

use super::format::Format;
use super::literal::with_format;
use super::zone::zone;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Prepared, Purity, fails, gives, needs, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct ToEpochTimestamp;

static DOC: Doc = Doc {
    name: "TO_EPOCH_TIMESTAMP",
    summary: "The moment that a text names, in milliseconds since 1970.",
    parameters: &[
        needs("text", "the text; other values count by their text form"),
        needs("format", "how it is written, as in Java's SimpleDateFormat"),
        takes("zone", "the zone of a text that names none; an unknown one means GMT"),
    ],
    returns: "a long; null if the text isn't written so, or for null",
    examples: &[
        gives("TO_EPOCH_TIMESTAMP('2016-01-05 17:02:30', 'yyyy-MM-dd HH:mm:ss', 'UTC')", "1452013350000L"),
        gives("TO_EPOCH_TIMESTAMP('2016-01-05 17:02:30 PST', 'yyyy-MM-dd HH:mm:ss z')", "1452042150000L"),
        gives("TO_EPOCH_TIMESTAMP('2016-13-05', 'yyyy-MM-dd', 'UTC')", "1483574400000L"),
        gives("TO_EPOCH_TIMESTAMP('yesterday', 'yyyy-MM-dd')", "null"),
        fails("TO_EPOCH_TIMESTAMP('2016', 'bad')"),
    ],
    purity: Purity::Ambient,
};

impl Function for ToEpochTimestamp {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let (text, format) = (arguments.at(0)?, arguments.at(1)?);
        if text.is_null() || format.is_null() {
            return Ok(Value::Null);
        }
        let format = Format::parse(&context.text_of(format)?)?;
        read(&format, arguments, context)
    }

    fn prepare(&self, literals: &[Option<&Value>]) -> Option<Arc<dyn Prepared>> {
        with_format(literals.get(1), read)
    }
}

fn read(format: &Format, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
    let text = arguments.at(0)?;
    if text.is_null() {
        return Ok(Value::Null);
    }
    let text = context.text_of(text)?;
    let zone = zone(arguments.or_null(2), context)?;
    Ok(format.read(&text, &zone, (context.environment().now)(), true).into())
}
