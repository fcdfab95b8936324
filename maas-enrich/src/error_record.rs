//! What is written about a line, or a part of it, that failed: a message of its own for the error sink.

use std::error::Error;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use stellar_fns::Value;

use crate::event::Raw;
use crate::message::Message;

/// Bytes of the line that are kept.
const KEPT: usize = 32 << 10;

/// Where it failed, in the original's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// The line could not be read or transformed.
    Parser,
    /// The message breaks a rule that all messages must fulfil.
    Invalid,
    /// A group of enrichment failed.
    Enrichment,
    /// Threat intelligence or triage failed.
    ThreatIntel,
    /// The index refused the document.
    Indexing,
}

impl ErrorType {
    /// As it stands in `error_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parser => "parser_error",
            Self::Invalid => "parser_invalid",
            Self::Enrichment => "enrichments_error",
            Self::ThreatIntel => "threatintel_error",
            Self::Indexing => "indexing_error",
        }
    }
}

/// What failed of a line.
#[derive(Debug, Clone, Copy)]
pub struct Failing<'a> {
    /// Where.
    pub kind: ErrorType,
    /// Which of several parts that may fail of one message there, such as a group of enrichments; empty where there is one.
    pub part: &'a str,
    /// The guid of the message, that of the line where there is no message yet.
    pub message: &'a str,
}

/// Makes the record of what failed of this line.
pub fn error_record(
    failing: Failing<'_>,
    sensor: &str,
    raw: &Raw,
    error: &(dyn Error + 'static),
    now_ms: i64,
) -> Message {
    let mut record = Message::default();
    record.set("source.type", Value::text("error"));
    record.set("error_type", Value::text(failing.kind.as_str()));
    record.set("failed_sensor_type", Value::text(sensor));
    record.set("message", Value::from(error.to_string()));
    record.set("stack", Value::from(causes(error)));
    record.set("timestamp", Value::Long(now_ms));
    record.set("guid", Value::from(guid(failing, raw)));
    let bytes = &raw.bytes[..raw.bytes.len().min(KEPT)];
    record.set("raw_message", Value::from(String::from_utf8_lossy(bytes).into_owned()));
    if std::str::from_utf8(&raw.bytes).is_err() {
        record.set("raw_message_base64", Value::from(BASE64_STANDARD.encode(bytes)));
    }
    if raw.bytes.len() > KEPT {
        record.set("raw_message_size", Value::Long(i64::try_from(raw.bytes.len()).unwrap_or(i64::MAX)));
    }
    record
}

/// The same when the line is read again. A line may have several messages that fail, and a message several parts: each has a record of its own.
fn guid(failing: Failing<'_>, raw: &Raw) -> String {
    let Failing { kind, part, message } = failing;
    let of_another = if message == raw.guid("") { "" } else { message };
    let names = [kind.as_str(), part, of_another];
    raw.guid(&names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" "))
}

/// The error and what caused it, a line each.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str("\ncaused by: ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Place;

    #[test]
    fn a_long_line_is_cut_and_bytes_that_are_no_text_are_kept() {
        let place = Place::File { identity: "f".into(), offset: 3, so_far: uuid::Uuid::nil() };
        let raw = Raw::new(vec![0xff; KEPT + 1], place);
        let error = std::io::Error::other("no");
        let failing = Failing { kind: ErrorType::Parser, part: "", message: &raw.guid("") };
        let record = error_record(failing, "squid", &raw, &error, 5);
        assert_eq!(record.get("raw_message_size"), Some(&Value::Long(32_769)));
        assert!(record.get("raw_message_base64").and_then(Value::as_text).unwrap().starts_with("////"));
        assert_eq!(record.get("error_type"), Some(&Value::text("parser_error")));
    }

    #[test]
    fn each_message_of_a_line_and_each_part_of_it_has_a_record_of_its_own() {
        let raw = Raw::new(Vec::new(), Place::File { identity: "f".into(), offset: 3, so_far: uuid::Uuid::nil() });
        let error = std::io::Error::other("no");
        let of_part = |kind, part: &str, message: &str| {
            let record = error_record(Failing { kind, part, message }, "squid", &raw, &error, 5);
            record.get("guid").map(ToString::to_string)
        };
        let guid = |kind, message: &str| of_part(kind, "", message);
        let (first, second) = (raw.guid(""), raw.guid("message 1"));
        assert_eq!(guid(ErrorType::Parser, &first), Some(raw.guid("parser_error")));
        assert_eq!(guid(ErrorType::Parser, &second), guid(ErrorType::Parser, &second));
        assert_ne!(guid(ErrorType::Parser, &first), guid(ErrorType::Parser, &second));
        assert_ne!(guid(ErrorType::Parser, &second), guid(ErrorType::Indexing, &second));
        let group = |name: &str, message: &str| of_part(ErrorType::Enrichment, name, message);
        assert_eq!(group("group a", &first), group("group a", &first));
        assert_ne!(group("group a", &first), group("group b", &first));
        assert_ne!(group("group a", &first), group("group a", &second));
    }
}
