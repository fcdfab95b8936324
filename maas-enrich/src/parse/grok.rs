//! Lines read by a grok pattern.

use stellar_fns::{Environment, Value};

use super::{JavaTime, ORIGINAL, TIMESTAMP, Trouble, flag, text};
use crate::config::{Compile, Error};
use crate::grok::{Grok, Library};
use crate::message::Message;

/// The form of times where the configuration names none.
const TIME_FORMAT: &str = "yyyy-MM-dd HH:mm:ss.S z";

/// See the module.
#[derive(Debug)]
pub struct GrokParser {
    grok: Grok,
    label: String,
    timestamp_field: Option<String>,
    time_fields: Vec<String>,
    time: JavaTime,
}

impl GrokParser {
    /// Options: `grokPath`, `patternLabel`, `timestampField`, `timeFields`, `dateFormat`, `timeZone`; ours: `grokStatement` with patterns in place of a file.
    pub(super) fn compile(config: &Message, library: &Library, with: &mut Compile) -> Result<Self, Error> {
        let label = text(config, "patternLabel")?
            .ok_or_else(|| Error::value("parserConfig.patternLabel", "is needed; name the pattern of a line"))?;
        if flag(config, "multiLine") {
            let message = "several lines a message are not read here; set it to false";
            return Err(Error::value("parserConfig.multiLine", message));
        }
        let mut library = std::borrow::Cow::Borrowed(library);
        if let Some(statement) = text(config, "grokStatement")? {
            library = std::borrow::Cow::Owned(library.with_text(statement));
        } else if let Some(path) = text(config, "grokPath")? {
            match library.with(path) {
                Some(with_file) => library = std::borrow::Cow::Owned(with_file),
                None if library.get(label).is_some() => {}
                None => {
                    let known = format!(
                        "no file of that name is below patterns/ or where {} of global.json says, and no pattern {label} is among ours",
                        crate::patterns::KEY
                    );
                    return Err(Error::Foreign { key: "parserConfig.grokPath".into(), class: path.to_owned(), known });
                }
            }
        }
        let wrong = |error: crate::grok::Error| Error::value(format!("pattern {label}"), error.to_string());
        let grok = Grok::compile(label, &library).map_err(wrong)?;
        let time_fields = match config.get("timeFields") {
            Some(Value::List(list)) => list.read().iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        let format = text(config, "dateFormat")?.unwrap_or(TIME_FORMAT);
        let zone = text(config, "timeZone")?.unwrap_or("UTC");
        Ok(Self {
            grok,
            label: label.to_owned(),
            timestamp_field: text(config, "timestampField")?.map(str::to_owned),
            time_fields,
            time: JavaTime::compile("parserConfig.dateFormat", format, zone, with)?,
        })
    }

    pub(super) fn parse(&self, line: &str, environment: &Environment) -> Result<Message, Trouble> {
        let captures = self.grok.captures(line)?.filter(|captures| !captures.is_empty());
        let mut message = captures.ok_or_else(|| Trouble::NoMatch { label: self.label.clone() })?;
        message.set(ORIGINAL, Value::text(line));
        for field in &self.time_fields {
            if let Some(value) = message.get(field).filter(|value| !value.is_null()) {
                let time = self.time.read(field, &value.to_string(), environment)?;
                message.set(field.as_str(), Value::Long(time));
            }
        }
        if let Some(field) = &self.timestamp_field {
            let value = message.get(field).filter(|value| !value.is_null());
            let value = value.ok_or_else(|| Trouble::NoTime { field: field.clone() })?;
            let time = timestamp(field, value)?;
            message.set(TIMESTAMP, Value::Long(time));
        }
        Ok(message)
    }
}

/// A number as it is, a text of digits without its dots: so seconds with three decimals become milliseconds.
fn timestamp(field: &str, value: &Value) -> Result<i64, Trouble> {
    if let Some(number) = value.as_number() {
        return Ok(number.to_long());
    }
    let text = value.to_string();
    text.replace('.', "").parse().map_err(|_| Trouble::BadTime { field: field.to_owned(), text, format: None })
}
