//! `IS_DATE`: whether a value is written as a date, strictly. Text behind the date is ignored.

use std::sync::Arc;

use crate::function::{Arguments, Context, Doc, Function, Outcome, Prepared, Purity, gives, needs};
use crate::functions::dates::{Format, with_format};
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
        let format = Format::parse(&context.text_of(format)?)?;
        is_written(&format, arguments, context)
    }

    fn prepare(&self, literals: &[Option<&Value>]) -> Option<Arc<dyn Prepared>> {
        with_format(literals.get(1), is_written)
    }
}

fn is_written(format: &Format, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
    let value = arguments.or_null(0);
    if value.is_null() {
        return Ok(Value::Bool(false));
    }
    let text = context.text_of(value)?;
    let environment = context.environment();
    Ok(Value::Bool(format.read(&text, &environment.zone, (environment.now)(), false).is_some()))
}
