//! Lines of columns.

use stellar_fns::value::Text;
use stellar_fns::{Environment, Value};

use super::{JavaTime, ORIGINAL, TIMESTAMP, Trouble, now_ms, text};
use crate::config::{Compile, Error};
use crate::message::Message;

/// See the module.
#[derive(Debug)]
pub struct CsvParser {
    columns: Vec<(Text, usize)>,
    separator: char,
    time: Option<JavaTime>,
}

impl CsvParser {
    /// Options: `columns` (a map of names to columns from 0, a list of names, or names separated by commas), `separator`, `timestampFormat`.
    pub(super) fn compile(config: &Message, with: &mut Compile) -> Result<Self, Error> {
        const KEY: &str = "parserConfig.columns";
        let mut columns: Vec<(Text, usize)> = Vec::new();
        match config.get("columns") {
            Some(Value::Map(map)) => {
                for (name, column) in map.read().iter() {
                    let column = column.to_string().trim().parse();
                    let column =
                        column.map_err(|_| Error::value(format!("{KEY}.{name}"), "must be a column from 0"))?;
                    columns.push((name.to_string().into(), column));
                }
            }
            Some(Value::List(list)) => {
                let names = list.read().iter().map(ToString::to_string).collect::<Vec<_>>();
                columns.extend(names.iter().enumerate().map(|(index, name)| column(name, index)));
            }
            Some(Value::Text(names)) => {
                columns.extend(names.split(',').enumerate().map(|(index, name)| column(name, index)));
            }
            _ => return Err(Error::value(KEY, "is needed; a map of names to columns from 0, or a list of names")),
        }
        let separator = match text(config, "separator")? {
            None => ',',
            Some(separator) => {
                let mut chars = separator.chars();
                match (chars.next(), chars.next()) {
                    (Some(separator), None) => separator,
                    _ => return Err(Error::value("parserConfig.separator", "must be one character")),
                }
            }
        };
        let time = text(config, "timestampFormat")?
            .map(|format| JavaTime::compile("parserConfig.timestampFormat", format, "", with))
            .transpose()?;
        Ok(Self { columns, separator, time })
    }

    pub(super) fn parse(
        &self,
        line: &str,
        environment: &Environment,
        came: Option<i64>,
    ) -> Result<Option<Message>, Trouble> {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            return Ok(None);
        }
        let values = split(line, self.separator).ok_or(Trouble::OpenQuote)?;
        let mut message = Message::default();
        for (name, column) in &self.columns {
            let value = values.get(*column).ok_or_else(|| Trouble::NoColumn {
                name: name.to_string(),
                wanted: *column,
                found: values.len(),
            })?;
            message.set(name.clone(), Value::text(value.trim()));
        }
        message.set(ORIGINAL, Value::text(line));
        let time = match (message.get(TIMESTAMP).and_then(Value::as_text), &self.time) {
            (None, _) => came.unwrap_or_else(|| now_ms(environment)),
            (Some(text), Some(time)) => time.read(TIMESTAMP, text, environment)?,
            (Some(text), None) => text.parse().map_err(|_| Trouble::BadTime {
                field: TIMESTAMP.to_owned(),
                text: text.to_owned(),
                format: None,
            })?,
        };
        message.set(TIMESTAMP, Value::Long(time));
        Ok(Some(message))
    }
}

/// `name`, or `name:column`.
fn column(text: &str, index: usize) -> (Text, usize) {
    let (name, column) =
        text.rsplit_once(':').map_or((text, None), |(name, column)| (name, column.trim().parse().ok()));
    (Text::new(name.trim()), column.unwrap_or(index))
}

/// The columns of a line. Quotes may stand around a column; inside, two of them, or one after a backslash, are one. None where one is not closed.
fn split(line: &str, separator: char) -> Option<Vec<String>> {
    let mut columns = Vec::new();
    let mut column = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                column.push('"');
                chars.next();
            }
            '\\' if quoted && matches!(chars.peek(), Some('"' | '\\')) => column.extend(chars.next()),
            '"' if quoted => quoted = false,
            // Blanks before a quote are no part of the column.
            '"' if column.trim().is_empty() => {
                column.clear();
                quoted = true;
            }
            char if char == separator && !quoted => columns.push(std::mem::take(&mut column)),
            char => column.push(char),
        }
    }
    columns.push(column);
    (!quoted).then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_separators_and_quotes() {
        assert_eq!(split(r#"a, "b,""c""",d\,,"#, ',').unwrap(), ["a", r#"b,"c""#, r"d\", "", ""]);
        assert_eq!(split("a|b", '|').unwrap(), ["a", "b"]);
        assert_eq!(split("\"a,b", ','), None);
    }
}
