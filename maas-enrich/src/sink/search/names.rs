//! The name of the index a message belongs to: `squid_index_2016.04.25.09`. Pure.

use jiff::Timestamp;
use stellar_fns::Value;

use super::Settings;
use crate::message::Message;
use crate::parse::TIMESTAMP;

/// A new index each hour, as the original has it.
const DATE_FORMAT: &str = "yyyy.MM.dd.HH";

/// Makes names.
#[derive(Debug)]
pub(super) struct IndexName {
    first: String,
    /// In the notation of strftime.
    date: Option<String>,
}

/// The first part of an index's name as servers want it; else why it can't be one.
pub(crate) fn first_part(index: &str) -> Result<String, String> {
    let first = index.to_lowercase();
    let is_fine = |char: char| !char.is_control() && !" \"*\\<|,>/?#:".contains(char);
    if first.is_empty() || first.starts_with(['_', '-', '+', '.']) || !first.chars().all(is_fine) {
        return Err(format!(
            "{index:?} can't begin the name of an index; letters, digits, _ - . only, the first a letter or digit"
        ));
    }
    Ok(first)
}

/// Why dates can't be written in this form; nothing where they can.
pub(crate) fn check_date_format(java: &str) -> Result<(), String> {
    strftime(java).map(drop)
}

impl IndexName {
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let first = first_part(&settings.index)?;
        let date =
            if settings.dated { Some(strftime(settings.date_format.as_deref().unwrap_or(DATE_FORMAT))) } else { None };
        let date = date.transpose().map_err(|message| format!("es.date.format {message}"))?;
        Ok(Self { first, date })
    }

    /// The index of a message, by its own time in UTC, be that a number or its text; of one without, by the present.
    pub(super) fn of(&self, message: &Message) -> String {
        let Some(date) = &self.date else { return self.first.clone() };
        let millis = match message.get(TIMESTAMP) {
            Some(Value::Long(millis)) => Some(*millis),
            Some(Value::Int(millis)) => Some(i64::from(*millis)),
            Some(value) => value.as_text().and_then(|text| text.trim().parse().ok()),
            None => None,
        };
        let time = millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()).unwrap_or_else(Timestamp::now);
        format!("{}_index_{}", self.first, time.strftime(date))
    }
}

/// A form of Java's SimpleDateFormat, as far as dates of indices need it.
fn strftime(java: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = java.chars().peekable();
    while let Some(letter) = chars.next() {
        let mut count = 1;
        while chars.next_if_eq(&letter).is_some() {
            count += 1;
        }
        out.push_str(match (letter, count) {
            ('y', 4) => "%Y",
            ('y', 2) => "%y",
            ('M', 2) => "%m",
            ('d', 2) => "%d",
            ('H', 2) => "%H",
            ('m', 2) => "%M",
            ('w', 1 | 2) => "%V",
            ('D', 3) => "%j",
            ('.' | '-' | '_', _) => {
                out.extend(std::iter::repeat_n(letter, count));
                continue;
            }
            _ => return Err(format!("{java:?}: {letter:?} is not known here; such as {DATE_FORMAT}")),
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(index: &str, format: Option<&str>) -> Settings {
        Settings { index: index.into(), dated: true, date_format: format.map(str::to_owned), colons: true }
    }

    #[test]
    fn a_message_has_the_index_of_its_own_hour() {
        let message = Message::from_iter([("timestamp", Value::Long(1_461_576_382_642))]);
        let name = |format| IndexName::new(&settings("Squid", format)).unwrap().of(&message);
        assert_eq!(name(None), "squid_index_2016.04.25.09");
        let text = Message::from_iter([("timestamp", Value::text("1461576382642"))]);
        assert_eq!(IndexName::new(&settings("squid", None)).unwrap().of(&text), "squid_index_2016.04.25.09");
        assert_eq!(name(Some("yyyy-MM-dd")), "squid_index_2016-04-25");
        let errors = Settings { dated: false, ..settings("error", None) };
        assert_eq!(IndexName::new(&errors).unwrap().of(&message), "error");
        assert!(IndexName::new(&settings("a b", None)).is_err());
        assert!(IndexName::new(&settings("a", Some("EEE"))).is_err());
    }
}
