//! Parsers: a line becomes the fields of a message, or an error that says why not.
//!
//! A file each; `compile` picks one by the original's class name or a short name of ours. `original_string` is set here, `timestamp` where the line has one;
//! `source.type` and `guid` are the pipeline's.

mod csv;
mod envelope;
mod grok;
mod json;
mod json_path;
mod key_value;
mod syslog;
mod time;

use smallvec::SmallVec;
use stellar_fns::{Environment, Value};
use thiserror::Error as ThisError;

use self::json_path::MOST_FOUND;
use crate::config::{Compile, Error};
use crate::grok::{GaveUp, Library};
use crate::message::Message;

pub use envelope::Envelope;
pub(crate) use envelope::original;
pub(crate) use time::{JavaTime, now_ms};

/// Names of fields that every message has.
pub const ORIGINAL: &str = "original_string";
/// Milliseconds since 1970.
pub const TIMESTAMP: &str = "timestamp";
/// What the messages of one line may hold together of its text, bytes.
const MOST_COPIED: usize = 16 << 20;

/// Why a line is no message.
#[derive(Debug, ThisError)]
pub enum Trouble {
    /// The pattern matches nowhere in the line.
    #[error("the line does not match the pattern {label}")]
    NoMatch {
        /// The pattern's name.
        label: String,
    },
    /// Matching took too long.
    #[error("matching the line was given up")]
    GaveUp(#[from] GaveUp),
    /// No JSON object.
    #[error("the line is no JSON object")]
    NotJson(#[source] serde_json::Error),
    /// A query that leads nowhere.
    #[error("there is nothing where parserConfig.jsonpQuery leads")]
    NothingThere,
    /// A query that leads to something else than an object.
    #[error("parserConfig.jsonpQuery leads to {kind}, a message is an object")]
    NoMessage {
        /// What it is.
        kind: &'static str,
    },
    /// A query that leads to more than is held at once.
    #[error(
        "the line has {messages} messages and {bytes} bytes, which each would hold as original_string: more than {MOST_COPIED} bytes; set parserConfig.overrideOriginalString"
    )]
    TooManyMessages {
        /// How many there are.
        messages: usize,
        /// The line's length.
        bytes: usize,
    },
    /// A path that leads to the same values many times.
    #[error("the path of parserConfig.jsonpQuery leads to more than {MOST_FOUND} values; name fewer things with ..")]
    TooMuchFound,
    /// An envelope without a line.
    #[error("the envelope has no text in {field}")]
    EmptyEnvelope {
        /// Where the line should be.
        field: String,
    },
    /// A map in a field, where the configuration forbids it.
    #[error("field {name} holds a map; parserConfig.mapStrategy is ERROR")]
    HoldsMap {
        /// The field.
        name: String,
    },
    /// Fewer columns than the configuration names.
    #[error("the line has {found} columns, {name} is column {wanted}, from 0")]
    NoColumn {
        /// The field.
        name: String,
        /// Its column.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// A quote without its end.
    #[error("a quoted column has no closing quote")]
    OpenQuote,
    /// A time that can't be read.
    #[error("{field} {text:?} is no time{}", .format.as_ref().map_or_else(String::new, |format| format!(" in the form {format}")))]
    BadTime {
        /// The field.
        field: String,
        /// What it holds.
        text: String,
        /// The form that was expected.
        format: Option<String>,
    },
    /// No field with the time.
    #[error("there is no field {field} to take the timestamp from")]
    NoTime {
        /// The field.
        field: String,
    },
    /// A line that breaks the rules of its format.
    #[error("the line is no {format}: {what}, at character {at}")]
    Malformed {
        /// The format.
        format: &'static str,
        /// What is wrong.
        what: &'static str,
        /// From 0.
        at: usize,
    },
    /// No pairs in a line of pairs.
    #[error("the line has no KEY{separator}VALUE")]
    NoPairs {
        /// What stands between them.
        separator: String,
    },
}

/// The messages of a line; mostly one.
pub type Parsed = SmallVec<[Message; 1]>;

/// Reads lines of one format.
#[derive(Debug)]
pub enum Parser {
    /// By a pattern.
    Grok(grok::GrokParser),
    /// JSON objects.
    Json(json::JsonParser),
    /// Columns.
    Csv(csv::CsvParser),
    /// System logs.
    Syslog(syslog::SyslogParser),
    /// Pairs.
    KeyValue(key_value::KeyValueParser),
}

/// The parser of this class.
pub(crate) fn compile(name: &str, config: &Message, library: &Library, with: &mut Compile) -> Result<Parser, Error> {
    let class = name.rsplit('.').next().unwrap_or(name);
    Ok(match class.to_ascii_uppercase().as_str() {
        "GROK" | "GROKPARSER" => Parser::Grok(grok::GrokParser::compile(config, library, with)?),
        "JSON" | "JSONMAP" | "JSONMAPPARSER" => Parser::Json(json::JsonParser::compile(config)?),
        "CSV" | "CSVPARSER" => Parser::Csv(csv::CsvParser::compile(config, with)?),
        "SYSLOG" | "SYSLOG_3164" | "SYSLOG3164PARSER" => Parser::Syslog(syslog::SyslogParser::rfc3164(config)?),
        "SYSLOG_5424" | "SYSLOG5424PARSER" => Parser::Syslog(syslog::SyslogParser::rfc5424(config)?),
        "KEY_VALUE" | "KEYVALUE" | "KEYVALUEPARSER" => {
            Parser::KeyValue(key_value::KeyValueParser::compile(config, with)?)
        }
        _ => {
            const KNOWN: &[&str] = &["GROK", "JSON", "CSV", "SYSLOG_3164", "SYSLOG_5424", "KEY_VALUE"];
            let hint = maas_cli::suggest::hint(class, KNOWN.iter().copied());
            let known = format!("parsers are {} and the original's classes of these kinds{hint}", KNOWN.join(", "));
            return Err(Error::Foreign { key: "parserClassName".into(), class: name.to_owned(), known });
        }
    })
}

impl Parser {
    /// The messages of a line; none where the line is a comment or blank.
    pub fn parse(&self, line: &str, environment: &Environment, came: Option<i64>) -> Result<Parsed, Trouble> {
        let message = match self {
            Self::Grok(parser) => parser.parse(line, environment)?,
            Self::Json(parser) => return parser.parse(line, environment, came),
            Self::Csv(parser) => return Ok(parser.parse(line, environment, came)?.into_iter().collect()),
            Self::Syslog(parser) => parser.parse(line, environment, came)?,
            Self::KeyValue(parser) => parser.parse(line, environment, came)?,
        };
        Ok(Parsed::from_buf([message]))
    }
}

/// An option of `parserConfig` that is a text.
fn text<'a>(config: &'a Message, name: &str) -> Result<Option<&'a str>, Error> {
    text_of("parserConfig", config, name)
}

/// An option that is a text; an empty one is none.
fn text_of<'a>(section: &str, config: &'a Message, name: &str) -> Result<Option<&'a str>, Error> {
    match config.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_text() {
            Some(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            None => Err(Error::value(format!("{section}.{name}"), format!("{value} is no text"))),
        },
    }
}

/// An option that is true or false, or one of these words.
fn flag(config: &Message, name: &str) -> bool {
    config.get(name).is_some_and(Value::to_boolean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(name: &str, config: &str) -> (Result<Parser, Error>, Vec<String>) {
        let (config, mut with) = (Message::from_json(config.as_bytes()).unwrap(), Compile::default());
        let parser = compile(name, &config, &Library::default(), &mut with);
        (
            parser,
            with.into_warnings().into_iter().map(|warning| format!("{} {}", warning.key, warning.message)).collect(),
        )
    }

    #[test]
    fn an_option_of_a_wrong_type_is_named_with_its_value() {
        for (name, option) in [
            ("CSV", "separator"),
            ("CSV", "timestampFormat"),
            ("JSON", "mapStrategy"),
            ("JSON", "jsonpQuery"),
            ("GROK", "grokPath"),
            ("GROK", "timestampField"),
            ("SYSLOG_5424", "nilPolicy"),
            ("KEY_VALUE", "pairSeparator"),
        ] {
            let config = format!(r#"{{"columns": ["a"], "patternLabel": "INT", "{option}": 5}}"#);
            let said = compiled(name, &config).0.unwrap_err().to_string();
            assert!(said.contains(&format!("parserConfig.{option}")) && said.contains("5 is no text"), "{said}");
        }
    }

    #[test]
    fn forms_of_dates_are_looked_at_before_the_first_line_and_zones_too() {
        let (parser, _) = compiled("KEY_VALUE", r#"{"dateFormat": "QQQ"}"#);
        let said = parser.unwrap_err().to_string();
        assert!(said.contains("parserConfig.dateFormat") && said.contains("QQQ"), "{said}");
        let (parser, warnings) = compiled("GROK", r#"{"patternLabel": "INT", "timeZone": "Nowhere/X"}"#);
        assert!(parser.is_ok() && warnings.iter().any(|said| said.contains("Nowhere/X")), "{warnings:?}");
        let (parser, warnings) = compiled("GROK", r#"{"patternLabel": "INT", "timeZone": "Europe/Berlin"}"#);
        assert!(parser.is_ok() && warnings.is_empty(), "{warnings:?}");
    }

    #[test]
    fn a_line_without_a_time_has_the_time_at_which_it_came() {
        let environment = Environment::default();
        for (name, config, line) in [
            ("JSON", "{}", "{\"a\": 1}"),
            ("CSV", r#"{"columns": ["a"]}"#, "1"),
            ("KEY_VALUE", "{}", "a=1"),
            ("SYSLOG_5424", "{}", "<14>1 - h a p m - text"),
        ] {
            let parser = compiled(name, config).0.unwrap();
            let messages = parser.parse(line, &environment, Some(1_461_576_382_642)).unwrap();
            assert_eq!(messages[0].get(TIMESTAMP), Some(&Value::Long(1_461_576_382_642)), "{name}");
        }
    }
}
