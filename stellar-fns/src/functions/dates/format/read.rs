//! Reading a text: field by field as Java does. What the fields amount to is `fields`' affair.
//!
//! Lenient reading lets fields lie outside of their range (month 13 is January of the next year); strict reading refuses that. Text behind the last field is
//! ignored in both.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::functions::dates::calendar::{DAY, Moment};
use crate::functions::dates::names::{DAYS, ERAS, HALVES, LONG_ERAS, MONTHS, ZONES, ZONES_READ, short};

use super::fields::{Fields, Slot};
use super::{Field, Format, Part};

impl Format {
    /// The moment that a text names, in milliseconds since 1970; none if it isn't written in this format.
    pub(crate) fn read(&self, text: &str, zone: &TimeZone, now: Timestamp, lenient: bool) -> Option<i64> {
        let century = now.as_millisecond() - 80 * 365 * DAY - 20 * DAY;
        let start = Moment::at(century, &TimeZone::UTC).year();
        let mut reader =
            Reader { text: text.as_bytes(), at: 0, fields: Fields::default(), lenient, start, border: None };
        for (index, part) in self.0.iter().enumerate() {
            match part {
                Part::Literal(literal) => {
                    if !reader.text.get(reader.at..)?.starts_with(literal.as_bytes()) {
                        return None;
                    }
                    reader.at += literal.len();
                }
                Part::Field(field, count) => reader.field(*field, *count, abutting(self.0.get(index + 1)))?,
            }
        }
        // Where nothing was read Java finds no date either.
        if reader.at == 0 {
            return None;
        }
        let millis = reader.fields.moment(zone, lenient)?;
        match reader.border {
            // The year in which the eighty years begin is that of now's century where the date lies before them.
            Some(year) if millis < century => {
                reader.fields.set(Slot::Year, year + 100);
                reader.fields.moment(zone, lenient)
            }
            _ => Some(millis),
        }
    }
}

/// Digits of fields that follow each other without anything between are told apart by their count.
fn abutting(next: Option<&Part>) -> bool {
    match next {
        Some(Part::Field(Field::Month, count)) => *count <= 2,
        Some(Part::Field(field, _)) => !matches!(
            field,
            Field::Era | Field::DayName | Field::Half | Field::ZoneName | Field::ZoneOffset | Field::ZoneIso
        ),
        _ => false,
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    fields: Fields,
    lenient: bool,
    /// The first year that two digits can name.
    start: i64,
    /// The year that was read, where it is that one.
    border: Option<i64>,
}

impl Reader<'_> {
    fn field(&mut self, field: Field, count: usize, abutting: bool) -> Option<()> {
        // Space before a number is passed over, before a name it isn't.
        let begin = self.at;
        while matches!(self.text.get(self.at)?, b' ' | b'\t') {
            self.at += 1;
        }
        match field {
            Field::Era => {
                let index = self.name(begin, &[&ERAS, &LONG_ERAS])?;
                self.fields.set(Slot::Era, index);
            }
            Field::Month if count >= 3 => {
                let index = self.name(begin, &[&MONTHS, &MONTHS.map(short)])?;
                self.fields.set(Slot::Month, index);
            }
            Field::DayName => {
                let index = self.name(begin, &[&DAYS, &DAYS.map(short)])?;
                self.fields.set(Slot::DayOfWeek, index + 1);
            }
            Field::Half => {
                let index = self.name(begin, &[&HALVES])?;
                self.fields.set(Slot::Half, index);
            }
            Field::ZoneName | Field::ZoneOffset => self.fields.offset = Some(self.zone(begin)? * 60_000),
            Field::ZoneIso => self.fields.offset = Some(self.iso_zone(count)? * 60_000),
            _ => {
                let start = self.at;
                let number = self.number(abutting.then_some(begin + count))?;
                self.numeric(field, count, number, start)?;
            }
        }
        Some(())
    }

    fn numeric(&mut self, field: Field, count: usize, number: i64, start: usize) -> Option<()> {
        let strict = |range: std::ops::RangeInclusive<i64>| (self.lenient || range.contains(&number)).then_some(());
        let (slot, number) = match field {
            Field::Year | Field::WeekYear => {
                let two_digits = self.at - start == 2 && self.text[start..self.at].iter().all(u8::is_ascii_digit);
                let year = if count <= 2 && two_digits { self.century(number) } else { number };
                (if field == Field::Year { Slot::Year } else { Slot::WeekYear }, year)
            }
            Field::Month => (Slot::Month, number - 1),
            Field::HourOfDayFromOne => {
                strict(1..=24)?;
                (Slot::HourOfDay, if number == 24 { 0 } else { number })
            }
            Field::HourOfHalfFromOne => {
                strict(1..=12)?;
                (Slot::HourOfHalf, if number == 12 { 0 } else { number })
            }
            Field::DayNumber if (1..=7).contains(&number) => (Slot::DayOfWeek, number % 7 + 1),
            Field::DayNumber => (Slot::DayOfWeek, number),
            Field::WeekOfYear => (Slot::WeekOfYear, number),
            Field::WeekOfMonth => (Slot::WeekOfMonth, number),
            Field::DayOfYear => (Slot::DayOfYear, number),
            Field::DayOfMonth => (Slot::DayOfMonth, number),
            Field::DayOfWeekInMonth => (Slot::DayOfWeekInMonth, number),
            Field::HourOfDay => (Slot::HourOfDay, number),
            Field::HourOfHalf => (Slot::HourOfHalf, number),
            Field::Minute => (Slot::Minute, number),
            Field::Second => (Slot::Second, number),
            Field::Millisecond => (Slot::Millisecond, number),
            Field::Era | Field::DayName | Field::Half | Field::ZoneName | Field::ZoneOffset | Field::ZoneIso => {
                return None;
            }
        };
        self.fields.set(slot, number);
        Some(())
    }

    /// Two digits name a year between eighty years before now and twenty after.
    fn century(&mut self, two_digits: i64) -> i64 {
        let first = self.start % 100;
        let year = two_digits + self.start / 100 * 100 + if two_digits < first { 100 } else { 0 };
        if two_digits == first {
            self.border = Some(year);
        }
        year
    }

    /// A whole number with an optional minus, up to an end. Java cuts it to 32 bits.
    #[expect(clippy::cast_possible_truncation, reason = "a Java cast")]
    fn number(&mut self, end: Option<usize>) -> Option<i64> {
        let end = end.unwrap_or(self.text.len());
        let negative = self.text.get(self.at) == Some(&b'-');
        let from = self.at + usize::from(negative);
        let digits = self.text.get(from..end)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        let text = std::str::from_utf8(self.text.get(from..from + digits)?).ok()?;
        self.at = from + digits;
        let int = match text.parse::<i64>() {
            Ok(number) => (if negative { -number } else { number }) as i32,
            Err(_) if negative => i32::MIN,
            Err(_) => i32::MAX,
        };
        Some(i64::from(int))
    }

    fn begins_with(&self, at: usize, word: &str) -> bool {
        self.text.get(at..at + word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// The index of the longest name that stands here, in any case.
    fn name(&mut self, at: usize, lists: &[&[&str]]) -> Option<i64> {
        let names = lists.iter().flat_map(|names| names.iter().enumerate());
        let (index, name) = names.filter(|(_, name)| self.begins_with(at, name)).max_by_key(|(_, name)| name.len())?;
        self.at = at + name.len();
        i64::try_from(index).ok()
    }

    fn sign(&mut self) -> Option<i64> {
        let sign = match self.text.get(self.at)? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.at += 1;
        Some(sign)
    }

    /// A zone by name, `GMT+5:30` or `+0530`: minutes ahead of UTC.
    fn zone(&mut self, begin: usize) -> Option<i64> {
        if let Some(sign) = self.sign() {
            return self.offset(0, false).map(|minutes| sign * minutes);
        }
        if self.begins_with(begin, "GMT") {
            self.at = begin + 3;
            return match self.sign() {
                Some(sign) => self.offset(0, true).map(|minutes| sign * minutes),
                None => Some(0),
            };
        }
        let named = ZONES.iter().flat_map(|(short, long, minutes)| [(*long, *minutes), (*short, *minutes)]);
        let named = named.chain(ZONES_READ).filter(|(name, _)| self.begins_with(self.at, name));
        let (name, minutes) = named.max_by_key(|(name, _)| name.len())?;
        self.at += name.len();
        Some(minutes)
    }

    /// `Z`, `+05`, `+0530` or `+05:30` by the count of letters.
    fn iso_zone(&mut self, count: usize) -> Option<i64> {
        if self.text.get(self.at) == Some(&b'Z') {
            self.at += 1;
            return Some(0);
        }
        let sign = self.sign()?;
        self.offset(count, count == 3).map(|minutes| sign * minutes)
    }

    /// Hours and, unless the count is 1, minutes. Hours have two digits but with a colon behind.
    fn offset(&mut self, count: usize, colon: bool) -> Option<i64> {
        let digit =
            |at: usize| self.text.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| i64::from(byte - b'0'));
        let mut at = self.at;
        let mut hours = digit(at)?;
        at += 1;
        if let Some(second) = digit(at) {
            hours = hours * 10 + second;
            at += 1;
        } else if count > 0 || !colon {
            return None;
        }
        let mut minutes = 0;
        if count != 1 {
            if colon {
                (self.text.get(at) == Some(&b':')).then_some(())?;
                at += 1;
            }
            minutes = digit(at)? * 10 + digit(at + 1)?;
            at += 2;
        }
        self.at = at;
        (hours <= 23 && minutes <= 59).then_some(hours * 60 + minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, text: &str, lenient: bool) -> Option<i64> {
        let now = Timestamp::from_second(1_472_131_630).unwrap();
        Format::parse(format).unwrap().read(text, &TimeZone::UTC, now, lenient)
    }

    #[test]
    fn fields_are_read_as_java_reads_them() {
        let midnight = Some(1_452_038_400_000);
        for (format, text) in [
            ("yyyyMMddHH", "2016010600"),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2016-01-06T01:00:00.000+01"),
            ("EEE MMM d yyyy", "Wed jan 6 2016"),
            ("d MMMM yy h a", "6 January 16 12 AM"),
            ("dMMMyyyy", "06Jan2016"),
            ("yyyy D", "2016 6"),
            ("yyyy-MM-dd z", "2016-01-06 UTC"),
            ("yyyy-MM-dd HH:mm Z", "2016-01-05 19:00 -0500"),
            ("yyyy-MM-dd HH:mm z", "2016-01-05 16:00 PST"),
            ("yyyy-MM-dd HH:mm z", "2016-01-05 16:00 Pacific Standard Time"),
            ("yyyy-MM-dd", "2016-01-06 and more"),
            ("yyyy-MM-dd", "2015-12-37"),
            ("MM/dd/yyyy kk", "01/06/2016 24"),
            ("YYYY w u", "2016 2 3"),
            ("yyyy MM F E", "2016 01 1 Wed"),
            ("yyyy MM W E", "2016 01 2 Wednesday"),
        ] {
            assert_eq!(read(format, text, true), midnight, "{format} {text}");
        }
    }

    #[test]
    fn old_dates_are_julian() {
        assert_eq!(read("yyyy-MM-dd", "1582-10-15", true), Some(-12_219_292_800_000));
        assert_eq!(read("yyyy-MM-dd", "1582-10-04", true), Some(-12_219_379_200_000));
        assert_eq!(read("yyyy-MM-dd", "0001-01-01", true), Some(-62_135_769_600_000));
        assert_eq!(read("yyyy-MM-dd", "1582-10-10", false), None);
    }

    #[test]
    fn what_is_not_written_so_is_no_date() {
        for (format, text) in [
            ("yyyy-MM-dd", "2016/01/06"),
            ("yyyy", ""),
            ("yyyyMMdd", "2016"),
            ("MMM", "Foo"),
            ("z", "QQQ"),
            ("d MMM", "6  Jan"),
            ("yyyy", "-"),
        ] {
            assert_eq!(read(format, text, true), None, "{format} {text}");
        }
    }

    #[test]
    fn strict_reading_refuses_what_lies_out_of_range() {
        for text in ["2014-25-01", "2014-05-32", "2014-02-29", "2014-00-01"] {
            assert_eq!(read("yyyy-MM-dd", text, false), None, "{text}");
        }
        assert!(read("yyyy-MM-dd", "2016-02-29", false).is_some());
        assert_eq!(read("EEE yyyy-MM-dd", "Mon 2016-01-06", false), None);
    }

    #[test]
    fn numbers_without_measure_are_moments_of_some_kind() {
        for text in ["99999999999999999999", "-99999999999", "2147483647"] {
            for format in ["yyyy", "D", "w", "W E", "F E", "H", "SSS", "YYYY", "u", "G yyyy"] {
                read(format, text, true);
                read(format, text, false);
            }
        }
    }
}
