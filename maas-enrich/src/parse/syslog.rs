//! System logs: RFC 3164 and RFC 5424.
//!
//! Fields are named as the original names them: `syslog.header.hostName`, `syslog.structuredData.ID.PARAM`, `syslog.message`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use stellar_fns::value::Text;
use stellar_fns::{Environment, Value};

use super::{ORIGINAL, TIMESTAMP, Trouble, text};
use crate::config::Error;
use crate::message::Message;

/// What becomes of fields that the line leaves out with a dash.
#[derive(Debug, Clone, Copy)]
enum Nil {
    Omit,
    Null,
    Dash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Rfc3164,
    Rfc5424,
}

/// See the module.
#[derive(Debug)]
pub struct SyslogParser {
    format: Format,
    nil: Nil,
    /// The zone of times that name none.
    zone: TimeZone,
}

impl SyslogParser {
    /// Option: `deviceTimeZone`, else UTC.
    pub(super) fn rfc3164(config: &Message) -> Result<Self, Error> {
        Self::new(config, Format::Rfc3164)
    }

    /// Option: `nilPolicy`, one of OMIT, NULL, DASH.
    pub(super) fn rfc5424(config: &Message) -> Result<Self, Error> {
        Self::new(config, Format::Rfc5424)
    }

    fn new(config: &Message, format: Format) -> Result<Self, Error> {
        let nil = match text(config, "nilPolicy")?.unwrap_or("OMIT") {
            "OMIT" => Nil::Omit,
            "NULL" => Nil::Null,
            "DASH" => Nil::Dash,
            other => {
                return Err(Error::value("parserConfig.nilPolicy", format!("{other:?}: OMIT, NULL or DASH")));
            }
        };
        let zone = match text(config, "deviceTimeZone")? {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name).map_err(|error| {
                Error::value("parserConfig.deviceTimeZone", format!("{name:?} is no time zone: {error}"))
            })?,
        };
        Ok(Self { format, nil, zone })
    }

    pub(super) fn parse(&self, line: &str, environment: &Environment, came: Option<i64>) -> Result<Message, Trouble> {
        let mut message = Message::default();
        message.set(ORIGINAL, Value::text(line));
        let mut cursor = Cursor { line: line.trim_end_matches(['\r', '\n']), at: 0, format: self.format };
        let priority = cursor.priority(self.format == Format::Rfc5424)?;
        if let Some(priority) = priority {
            message.set("syslog.header.pri", Value::from(priority.to_string()));
            message.set("syslog.header.severity", Value::from((priority % 8).to_string()));
            message.set("syslog.header.facility", Value::from((priority / 8).to_string()));
        }
        match self.format {
            Format::Rfc5424 => self.rest_5424(&mut message, &mut cursor, environment, came)?,
            Format::Rfc3164 => self.rest_3164(&mut message, &mut cursor, environment)?,
        }
        Ok(message)
    }

    fn rest_5424(
        &self,
        message: &mut Message,
        cursor: &mut Cursor<'_>,
        environment: &Environment,
        came: Option<i64>,
    ) -> Result<(), Trouble> {
        let version = cursor.word("the version is missing")?;
        message.set("syslog.header.version", Value::text(version));
        let time = cursor.word("the time is missing")?;
        self.field(message, "syslog.header.timestamp", time);
        let millis = match time {
            "-" => came.unwrap_or_else(|| super::now_ms(environment)),
            time => time.parse::<Timestamp>().map_err(|_| bad_time(time))?.as_millisecond(),
        };
        message.set(TIMESTAMP, Value::Long(millis));
        for (name, missing) in [
            ("syslog.header.hostName", "the host's name is missing"),
            ("syslog.header.appName", "the application's name is missing"),
            ("syslog.header.procId", "the process is missing"),
            ("syslog.header.msgId", "the kind of message is missing"),
        ] {
            let word = cursor.word(missing)?;
            self.field(message, name, word);
        }
        cursor.structured_data(message)?;
        let text = cursor.rest().trim_start_matches(' ').trim_start_matches('\u{feff}');
        if !text.is_empty() {
            message.set("syslog.message", Value::text(text));
        }
        Ok(())
    }

    fn rest_3164(
        &self,
        message: &mut Message,
        cursor: &mut Cursor<'_>,
        environment: &Environment,
    ) -> Result<(), Trouble> {
        let (shown, millis) = self.device_time(cursor, environment)?;
        message.set("syslog.header.timestamp", Value::from(shown));
        message.set(TIMESTAMP, Value::Long(millis));
        let host = cursor.word("the host's name is missing")?;
        message.set("syslog.header.hostName", Value::text(host));
        message.set("syslog.message", Value::text(cursor.rest().trim_start()));
        Ok(())
    }

    /// `Jan  2 03:04:05` without a year, or a time of RFC 3339. A year is put in so that the time isn't more than four days ahead.
    fn device_time(&self, cursor: &mut Cursor<'_>, environment: &Environment) -> Result<(String, i64), Trouble> {
        let first = cursor.word("the time is missing")?;
        if first.starts_with(|char: char| char.is_ascii_digit()) {
            let time = first.parse::<Timestamp>().map_err(|_| bad_time(first))?;
            return Ok((first.to_owned(), time.as_millisecond()));
        }
        let day = cursor.word("the day is missing")?;
        let clock = cursor.word("the time of day is missing")?;
        let shown = format!("{first} {day} {clock}");
        let now = (environment.now)();
        let year = now.to_zoned(self.zone.clone()).year();
        let instant = |year: i16| {
            let time = DateTime::strptime("%Y %b %d %H:%M:%S", format!("{year} {shown}")).ok()?;
            Some(time.to_zoned(self.zone.clone()).ok()?.timestamp().as_millisecond())
        };
        let ahead = now.as_millisecond() + 4 * 86_400_000;
        // A 29th of February may exist in only one of the years.
        let time = instant(year).filter(|millis| *millis <= ahead).or_else(|| instant(year - 1));
        let time = time.ok_or_else(|| bad_time(&shown))?;
        Ok((shown, time))
    }

    fn field(&self, message: &mut Message, name: &str, word: &str) {
        let value = match (word, self.nil) {
            ("-", Nil::Omit) => return,
            ("-", Nil::Null) => Value::Null,
            _ => Value::text(word),
        };
        message.set(name, value);
    }
}

fn bad_time(text: &str) -> Trouble {
    Trouble::BadTime { field: "syslog.header.timestamp".into(), text: text.chars().take(64).collect(), format: None }
}

struct Cursor<'a> {
    line: &'a str,
    at: usize,
    format: Format,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    fn malformed(&self, what: &'static str) -> Trouble {
        let format = match self.format {
            Format::Rfc3164 => "RFC 3164 message",
            Format::Rfc5424 => "RFC 5424 message",
        };
        Trouble::Malformed { format, what, at: self.line[..self.at].chars().count() }
    }

    /// `<0>` to `<191>`.
    fn priority(&mut self, needed: bool) -> Result<Option<u8>, Trouble> {
        let number = self.rest().strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let Some((digits, _)) = number else {
            return if needed { Err(self.malformed("it does not begin with <PRIORITY>")) } else { Ok(None) };
        };
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let priority = digits.parse::<u8>().ok().filter(|priority| plain && *priority <= 191);
        let priority = priority.ok_or_else(|| self.malformed("the priority is not from 0 to 191"))?;
        self.at += digits.len() + 2;
        Ok(Some(priority))
    }

    /// Up to the next blank, blanks before it left out.
    fn word(&mut self, missing: &'static str) -> Result<&'a str, Trouble> {
        let rest = self.rest();
        let skipped = rest.len() - rest.trim_start_matches(' ').len();
        let word = rest[skipped..].split(' ').next().unwrap_or_default();
        if word.is_empty() {
            return Err(self.malformed(missing));
        }
        self.at += skipped + word.len();
        Ok(word)
    }

    /// `-`, or `[id name="value" …]…`.
    fn structured_data(&mut self, message: &mut Message) -> Result<(), Trouble> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(' ').len();
        if self.rest().starts_with('-') {
            self.at += 1;
            return Ok(());
        }
        if !self.rest().starts_with('[') {
            return Err(self.malformed("the structured data is missing"));
        }
        while self.rest().starts_with('[') {
            self.at += 1;
            let id = self.until(&[' ', ']'], "an element of structured data is not closed")?;
            loop {
                let rest = self.rest();
                self.at += rest.len() - rest.trim_start_matches(' ').len();
                if self.rest().starts_with(']') {
                    self.at += 1;
                    break;
                }
                let name = self.until(&['='], "a parameter of structured data has no value")?;
                self.at += 1;
                let value = self.quoted()?;
                message.set(Text::from(format!("syslog.structuredData.{id}.{name}")), Value::from(value));
            }
        }
        Ok(())
    }

    fn until(&mut self, ends: &[char], missing: &'static str) -> Result<&'a str, Trouble> {
        let rest = self.rest();
        let end = rest.find(ends).ok_or_else(|| self.malformed(missing))?;
        self.at += end;
        Ok(&rest[..end])
    }

    fn quoted(&mut self) -> Result<String, Trouble> {
        const OPEN: &str = "a value of structured data is not in quotes";
        let inner = self.rest().strip_prefix('"').ok_or_else(|| self.malformed(OPEN))?;
        let mut value = String::new();
        let mut chars = inner.char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    self.at += at + 2;
                    return Ok(value);
                }
                '\\' => match chars.next() {
                    Some((_, char @ ('"' | '\\' | ']'))) => value.push(char),
                    Some((_, char)) => value.extend(['\\', char]),
                    None => break,
                },
                char => value.push(char),
            }
        }
        Err(self.malformed(OPEN))
    }
}
