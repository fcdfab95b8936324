//! Java's `SimpleDateFormat`: the pattern here, writing in `write`, reading in `read`, what was read in `fields`.

mod fields;
mod read;
mod write;

use crate::error::{Fault, shown};

/// Bytes of a pattern; longer ones are refused.
const LONGEST: usize = 1_000;

/// A parsed pattern.
#[derive(Debug)]
pub(crate) struct Format(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Field(Field, usize),
}

/// What a letter stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Era,
    Year,
    WeekYear,
    Month,
    WeekOfYear,
    WeekOfMonth,
    DayOfYear,
    DayOfMonth,
    DayOfWeekInMonth,
    DayName,
    /// Monday is 1.
    DayNumber,
    Half,
    /// 0 to 23.
    HourOfDay,
    /// 1 to 24.
    HourOfDayFromOne,
    /// 0 to 11.
    HourOfHalf,
    /// 1 to 12.
    HourOfHalfFromOne,
    Minute,
    Second,
    Millisecond,
    ZoneName,
    ZoneOffset,
    ZoneIso,
}

impl Field {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'G' => Self::Era,
            'y' => Self::Year,
            'Y' => Self::WeekYear,
            'M' | 'L' => Self::Month,
            'w' => Self::WeekOfYear,
            'W' => Self::WeekOfMonth,
            'D' => Self::DayOfYear,
            'd' => Self::DayOfMonth,
            'F' => Self::DayOfWeekInMonth,
            'E' => Self::DayName,
            'u' => Self::DayNumber,
            'a' => Self::Half,
            'H' => Self::HourOfDay,
            'k' => Self::HourOfDayFromOne,
            'K' => Self::HourOfHalf,
            'h' => Self::HourOfHalfFromOne,
            'm' => Self::Minute,
            's' => Self::Second,
            'S' => Self::Millisecond,
            'z' => Self::ZoneName,
            'Z' => Self::ZoneOffset,
            'X' => Self::ZoneIso,
            _ => return None,
        })
    }
}

impl Format {
    /// Reads a pattern such as `yyyy-MM-dd'T'HH:mm:ss.SSSX`.
    pub(crate) fn parse(pattern: &str) -> Result<Self, Fault> {
        let wrong = |message: String| Fault::argument(format!("date format {}: {message}", shown(pattern)));
        if pattern.len() > LONGEST {
            return Err(wrong(format!("{} bytes are too many; the limit is {LONGEST}", pattern.len())));
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut chars = pattern.chars().peekable();
        let mut quoted = false;
        while let Some(char) = chars.next() {
            match char {
                '\'' if chars.next_if_eq(&'\'').is_some() => literal.push('\''),
                '\'' => quoted = !quoted,
                char if !quoted && char.is_ascii_alphabetic() => {
                    let field = Field::of(char)
                        .ok_or_else(|| wrong(format!("the letter {char} has no meaning; put text in single quotes")))?;
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    let mut count = 1;
                    while chars.next_if_eq(&char).is_some() {
                        count += 1;
                    }
                    if count > 64 || (field == Field::ZoneIso && count > 3) {
                        return Err(wrong(format!("{count} times {char} is too often")));
                    }
                    parts.push(Part::Field(field, count));
                }
                char => literal.push(char),
            }
        }
        if quoted {
            return Err(wrong("a quote isn't closed".to_owned()));
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self(parts))
    }
}
