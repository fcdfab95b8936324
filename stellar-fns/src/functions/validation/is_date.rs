//! `IS_DATE`: whether a value is written as a date, strictly. Text behind the date is ignored.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::functions::dates::Format;
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct IsDate;

static DOC: Doc = Doc {
    name: "IS_DATE",
    summary: "Whether a value is written as a date, strictly. Text behind the date is ignored.",
    parameters: &[
        needs("value", "any value, by its text form"),
        needs("format", "how it is written, as in Java's SimpleDateFormat"),
    ],
    returns: "a boolean; false for null",
    examples: &[
        gives("IS_DATE('2014-05-01', 'yyyy-MM-dd')", "true"),
        gives("IS_DATE('2014-25-01', 'yyyy-MM-dd')", "false"),
        gives("IS_DATE(null, 'yyyy-MM-dd')", "false"),
    ],
    purity: Purity::Ambient,
};

impl Function for IsDate {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let (value, format) = (arguments.or_null(0), arguments.or_null(1));
        if value.is_null() || format.is_null() {
            return Ok(Value::Bool(false));
        }
        let text = context.text_of(value)?;
        let format = Format::parse(&context.text_of(format)?)?;
        let environment = context.environment();
        let now = (environment.now)();
        Ok(Value::Bool(format.read(&text, &environment.zone, now, false).is_some()))
    }
}
