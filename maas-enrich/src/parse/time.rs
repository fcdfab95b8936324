//! Times of lines: as numbers, and in the forms of Java's SimpleDateFormat.

use stellar_fns::{Environment, Value};

use super::Trouble;
use crate::config::{Compile, Error};
use crate::expression::{Expression, Scope};
use crate::message::Message;

/// Now, for lines without a time.
pub(crate) fn now_ms(environment: &Environment) -> i64 {
    (environment.now)().as_millisecond()
}

/// Reads times in a form of SimpleDateFormat, as the function TO_EPOCH_TIMESTAMP does.
#[derive(Debug)]
pub(crate) struct JavaTime {
    expression: Expression,
    format: String,
    around: Message,
}

impl JavaTime {
    /// A form, and the zone of times that name none.
    pub(crate) fn compile(key: &str, format: &str, zone: &str, with: &mut Compile) -> Result<Self, Error> {
        let expression = with.expressions.compile(key, "TO_EPOCH_TIMESTAMP(text, format, zone)")?;
        let around = Message::from_iter([("format", Value::text(format)), ("zone", Value::text(zone))]);
        Ok(Self { expression, format: format.to_owned(), around })
    }

    /// Milliseconds since 1970.
    pub(crate) fn read(&self, field: &str, text: &str, environment: &Environment) -> Result<i64, Trouble> {
        let variables = Message::from_iter([("text", Value::text(text))]);
        let read = self.expression.value_now(&Scope::new([&variables, &self.around]), environment);
        match read {
            Ok(Value::Long(long)) => Ok(long),
            _ => Err(Trouble::BadTime {
                field: field.to_owned(),
                text: text.chars().take(100).collect(),
                format: Some(self.format.clone()),
            }),
        }
    }
}
