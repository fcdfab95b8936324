//! `DATE_FORMAT`: a moment written as a text.

use std::sync::Arc;

use super::format::Format;
use super::literal::with_format;
use super::zone::zone;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Prepared, Purity, fails, gives, needs, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct DateFormat;

static DOC: Doc = Doc {
    name: "DATE_FORMAT",
    summary: "A moment written as a text.",
    parameters: &[
        needs("format", "how it is written, as in Java's SimpleDateFormat"),
        takes("millis", "the moment in milliseconds since 1970, a long; now without it"),
        takes("zone", "the zone; it may stand in the second place"),
    ],
    returns: "a text; null for null",
    examples: &[
        gives("DATE_FORMAT('yyyy-MM-dd HH:mm:ss.SSS zzz', 1452013350000L, 'UTC')", "'2016-01-05 17:02:30.000 UTC'"),
        gives(
            "DATE_FORMAT('EEE MMM dd yyyy hh:mm:ss a Z', 1452013350000L, 'EST')",
            "'Tue Jan 05 2016 12:02:30 PM -0500'",
        ),
        gives("DATE_FORMAT('EEEE, d. MMMM yy', 'UTC')", "'Thursday, 25. August 16'"),
        gives("DATE_FORMAT('yyyy', null)", "null"),
        fails("DATE_FORMAT('yyyy', '1452013350000', 'UTC')"),
        fails("DATE_FORMAT('bad')"),
    ],
    purity: Purity::Ambient,
};

impl Function for DateFormat {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        written(&Format::parse(arguments.text(0)?)?, arguments, context)
    }

    fn prepare(&self, literals: &[Option<&Value>]) -> Option<Arc<dyn Prepared>> {
        with_format(literals.first(), written)
    }
}

fn written(format: &Format, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
    let now = (context.environment().now)();
    if arguments.get(1).is_some_and(Value::is_null) {
        return Ok(Value::Null);
    }
    let (moment, place) = match (arguments.get(1), arguments.get(2)) {
        (Some(Value::Long(millis)), place) => (Some(*millis), place),
        (Some(_), Some(_)) => return Err(arguments.wrong(1, "a long")),
        (Some(place @ Value::Text(_)), None) => (None, Some(place)),
        _ => (None, None),
    };
    let zone = zone(place.unwrap_or(&Value::Null), context)?;
    let text = format.write(moment.unwrap_or(now.as_millisecond()), &zone);
    context.spend_text(text.len())?;
    Ok(Value::from(text))
}
