//! Times of lines: as numbers, and in the forms of Java's SimpleDateFormat.

use jiff::tz::TimeZone;
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
    /// A form, and the zone of times that name none. As in the original one that isn't known is UTC, which is said.
    pub(crate) fn compile(key: &str, format: &str, zone: &str, with: &mut Compile) -> Result<Self, Error> {
        let expression = with.expressions.compile(key, "TO_EPOCH_TIMESTAMP(text, format, zone)")?;
        let around = Message::from_iter([("format", Value::text(format)), ("zone", Value::text(zone))]);
        let writes = with.expressions.compile(key, "DATE_FORMAT(format, 0L, 'UTC')")?;
        if let Err(failed) = writes.value_now(&Scope::new([&around]), &Environment::default()) {
            return Err(Error::value(
                key,
                format!("{format:?} is no form of a date: {}", maas_client::reason::chain(&failed)),
            ));
        }
        if zone.contains('/') && TimeZone::get(zone).is_err() {
            with.warn("parserConfig.timeZone", format!("{zone:?} is no time zone; UTC is used"));
        }
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
