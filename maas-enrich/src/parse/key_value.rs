//! Lines of pairs: `key=value key="another value"`.

use stellar_fns::value::Text;
use stellar_fns::{Environment, Value};

use super::{JavaTime, ORIGINAL, TIMESTAMP, Trouble, now_ms, text};
use crate::config::{Compile, Error};
use crate::message::Message;

/// See the module.
#[derive(Debug)]
pub struct KeyValueParser {
    /// Between pairs; none: blanks.
    pair: Option<String>,
    /// Between key and value.
    separator: String,
    timestamp_field: Option<String>,
    time: Option<JavaTime>,
}

impl KeyValueParser {
    /// Options: `pairSeparator` (else blanks), `keyValueSeparator` (else `=`), `timestampField`, `dateFormat`, `timeZone`.
    pub(super) fn compile(config: &Message, with: &mut Compile) -> Result<Self, Error> {
        let zone = text(config, "timeZone")?.unwrap_or("UTC");
        let time = text(config, "dateFormat")?
            .map(|format| JavaTime::compile("parserConfig.dateFormat", format, zone, with))
            .transpose()?;
        Ok(Self {
            pair: text(config, "pairSeparator")?.filter(|pair| !pair.trim().is_empty()).map(str::to_owned),
            separator: text(config, "keyValueSeparator")?.unwrap_or("=").to_owned(),
            timestamp_field: text(config, "timestampField")?.map(str::to_owned),
            time,
        })
    }

    pub(super) fn parse(&self, line: &str, environment: &Environment, came: Option<i64>) -> Result<Message, Trouble> {
        let mut message = Message::default();
        let mut rest = line;
        while let Some((key, value)) = self.next(&mut rest) {
            message.set(Text::new(key), value);
        }
        if message.is_empty() {
            return Err(Trouble::NoPairs { separator: self.separator.clone() });
        }
        message.set(ORIGINAL, Value::text(line));
        let field = self.timestamp_field.as_deref().unwrap_or(TIMESTAMP);
        let time = match (message.get(field).filter(|value| !value.is_null()), &self.time) {
            (None, _) if self.timestamp_field.is_some() => return Err(Trouble::NoTime { field: field.to_owned() }),
            (None, _) => came.unwrap_or_else(|| now_ms(environment)),
            (Some(value), Some(time)) => time.read(field, &value.to_string(), environment)?,
            (Some(value), None) => value.to_string().replace('.', "").parse().map_err(|_| Trouble::BadTime {
                field: field.to_owned(),
                text: value.to_string(),
                format: None,
            })?,
        };
        message.set(TIMESTAMP, Value::Long(time));
        Ok(message)
    }

    /// The next pair; what is none is skipped.
    fn next<'a>(&self, rest: &mut &'a str) -> Option<(&'a str, Value)> {
        loop {
            let at = rest.find(&self.separator)?;
            let (before, after) = (&rest[..at], &rest[at + self.separator.len()..]);
            let key = match &self.pair {
                Some(pair) => before.rsplit(pair.as_str()).next(),
                None => before.split_whitespace().next_back(),
            };
            let key = key.map(str::trim).filter(|key| !key.is_empty());
            let (value, left) = self.value(after);
            *rest = left;
            if let Some(key) = key {
                return Some((key, value));
            }
        }
    }

    /// A value, quoted or up to the end of its pair, and what is left after it.
    fn value<'a>(&self, text: &'a str) -> (Value, &'a str) {
        for quote in ['"', '\''] {
            let quoted = text.strip_prefix(quote).and_then(|inner| inner.split_once(quote));
            if let Some((value, left)) = quoted {
                return (Value::text(value), left);
            }
        }
        let end = match &self.pair {
            Some(pair) => text.find(pair.as_str()),
            None => text.find(char::is_whitespace),
        };
        let (value, left) = text.split_at(end.unwrap_or(text.len()));
        let number = Some(value).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
        let number = number.and_then(|value| value.parse::<i64>().ok());
        let number = number.map(|long| i32::try_from(long).map_or(Value::Long(long), Value::Int));
        (number.unwrap_or_else(|| Value::text(value.trim())), left)
    }
}
