//! Reading a text: field by field as Java does, then from fields to a moment.
//!
//! Lenient reading lets fields lie outside of their range (month 13 is January of the next year); strict reading refuses that. Text behind the last field is
//! ignored in both.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::functions::dates::calendar::{Moment, Place, days_from_civil, moment_of, weekday};
use crate::functions::dates::names::{DAYS, ERAS, HALVES, MONTHS, ZONES, short};

use super::{Field, Format, Part};

/// Numbers beyond this are no dates; it keeps all that is computed from them in range.
const LARGEST: i64 = 100_000_000_000;

impl Format {
    /// The moment that a text names, in milliseconds since 1970; none if it isn't written in this format.
    pub(crate) fn read(&self, text: &str, zone: &TimeZone, now: Timestamp, lenient: bool) -> Option<i64> {
        let mut reader = Reader { text: text.as_bytes(), at: 0, fields: Fields::default(), lenient, now };
        for (index, part) in self.0.iter().enumerate() {
            match part {
                Part::Literal(literal) => {
                    if !text.get(reader.at..)?.starts_with(literal.as_str()) {
                        return None;
                    }
                    reader.at += literal.len();
                }
                Part::Field(field, count) => {
                    // Digits of fields that follow each other without anything between are told apart by their count.
                    let abutting = matches!(self.0.get(index + 1), Some(Part::Field(..)));
                    reader.field(*field, *count, abutting)?;
                }
            }
        }
        reader.fields.moment(zone, lenient)
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    fields: Fields,
    lenient: bool,
    now: Timestamp,
}

impl Reader<'_> {
    fn field(&mut self, field: Field, count: usize, abutting: bool) -> Option<()> {
        while matches!(self.text.get(self.at)?, b' ' | b'\t') {
            self.at += 1;
        }
        let start = self.at;
        match field {
            Field::Era => self.fields.era = Some(self.name(ERAS.map(|name| (name, name)))?),
            Field::Month if count >= 3 => self.named(field, MONTHS.map(|name| (name, short(name))))?,
            Field::DayName => self.named(field, DAYS.map(|name| (name, short(name))))?,
            Field::Half => self.named(field, HALVES.map(|name| (name, name)))?,
            Field::ZoneName | Field::ZoneOffset => self.fields.offset = Some(self.zone()?),
            Field::ZoneIso => self.fields.offset = Some(self.iso_zone(count)?),
            _ => {
                let number = self.number(abutting.then_some(count))?;
                self.numeric(field, count, number, start)?;
            }
        }
        Some(())
    }

    fn numeric(&mut self, field: Field, count: usize, number: i64, start: usize) -> Option<()> {
        let strict = |range: std::ops::RangeInclusive<i64>| (self.lenient || range.contains(&number)).then_some(());
        match field {
            Field::Year | Field::WeekYear => {
                let two_digits = self.at - start == 2 && self.text[start..self.at].iter().all(u8::is_ascii_digit);
                let year = if count <= 2 && two_digits { self.century(number) } else { number };
                self.fields.set(field, year);
            }
            Field::Month => self.fields.set(field, number - 1),
            Field::HourOfDayFromOne => {
                strict(1..=24)?;
                self.fields.set(Field::HourOfDay, if number == 24 { 0 } else { number });
            }
            Field::HourOfHalfFromOne => {
                strict(1..=12)?;
                self.fields.set(Field::HourOfHalf, if number == 12 { 0 } else { number });
            }
            Field::DayNumber => self.fields.set(Field::DayName, number % 7),
            field => self.fields.set(field, number),
        }
        Some(())
    }

    /// Two digits name the year nearest to eighty years before now and twenty after.
    fn century(&self, year: i64) -> i64 {
        let start = Moment::at(self.now.as_millisecond(), &TimeZone::UTC).map_or(1970, |now| now.year()) - 80;
        year + start / 100 * 100 + if year < start % 100 { 100 } else { 0 }
    }

    /// A whole number with an optional minus; with a width, of exactly as many characters.
    fn number(&mut self, width: Option<usize>) -> Option<i64> {
        let end = match width {
            Some(width) => Some(self.at + width).filter(|end| *end <= self.text.len())?,
            None => self.text.len(),
        };
        let negative = self.text.get(self.at) == Some(&b'-');
        let from = self.at + usize::from(negative);
        let digits = self.text.get(from..end)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = std::str::from_utf8(self.text.get(from..from + digits)?).ok()?;
        let number = text.parse::<i64>().ok().filter(|number| *number <= LARGEST)?;
        self.at = from + digits;
        Some(if negative { -number } else { number })
    }

    fn begins_with(&self, word: &str) -> bool {
        self.text.get(self.at..self.at + word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// The index of the name, long or short, that stands here in any case.
    fn name<const N: usize>(&mut self, names: [(&str, &str); N]) -> Option<i64> {
        for (index, (long, short)) in names.iter().enumerate() {
            for name in [long, short] {
                if self.begins_with(name) {
                    self.at += name.len();
                    return i64::try_from(index).ok();
                }
            }
        }
        None
    }

    /// Sets a field to the index of its name.
    fn named<const N: usize>(&mut self, field: Field, names: [(&str, &str); N]) -> Option<()> {
        let index = self.name(names)?;
        self.fields.set(field, index);
        Some(())
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

    /// A zone by name, `GMT+5:30` or `+0530`: seconds ahead of UTC.
    fn zone(&mut self) -> Option<i64> {
        if let Some(sign) = self.sign() {
            return self.clock(false).map(|seconds| sign * seconds);
        }
        if self.begins_with("GMT") {
            self.at += 3;
            return match self.sign() {
                Some(sign) => self.clock(true).map(|seconds| sign * seconds),
                None => Some(0),
            };
        }
        let named = |name: &str| {
            self.begins_with(name) && !self.text.get(self.at + name.len()).is_some_and(u8::is_ascii_alphabetic)
        };
        let (length, minutes) = ZONES.iter().find_map(|(short, long, minutes)| {
            let found = [long, short].into_iter().find(|name| named(name))?;
            Some((found.len(), *minutes))
        })?;
        self.at += length;
        Some(minutes * 60)
    }

    /// `Z`, `+05`, `+0530` or `+05:30` by the count of letters.
    fn iso_zone(&mut self, count: usize) -> Option<i64> {
        if self.text.get(self.at) == Some(&b'Z') {
            self.at += 1;
            return Some(0);
        }
        let sign = self.sign()?;
        if count == 1 {
            return Some(sign * self.number(Some(2))? * 3600);
        }
        self.clock(count == 3).map(|seconds| sign * seconds)
    }

    /// Hours of one or two digits, then minutes of two, with a colon between or without.
    fn clock(&mut self, colon: bool) -> Option<i64> {
        let digit =
            |at: usize| self.text.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| i64::from(byte - b'0'));
        let mut at = self.at;
        let mut hours = digit(at)?;
        at += 1;
        if let Some(second) = digit(at) {
            hours = hours * 10 + second;
            at += 1;
        }
        if colon {
            (self.text.get(at) == Some(&b':')).then_some(())?;
            at += 1;
        }
        let minutes = digit(at)? * 10 + digit(at + 1)?;
        self.at = at + 2;
        (hours <= 23 && minutes <= 59).then_some(hours * 3600 + minutes * 60)
    }
}

/// The fields that were read, in the order in which they were.
#[derive(Default)]
struct Fields {
    set: Vec<(Field, i64)>,
    era: Option<i64>,
    offset: Option<i64>,
}

impl Fields {
    fn set(&mut self, field: Field, value: i64) {
        self.set.retain(|(known, _)| *known != field);
        self.set.push((field, value));
    }

    fn get(&self, field: Field) -> Option<i64> {
        self.set.iter().find(|(known, _)| *known == field).map(|(_, value)| *value)
    }

    /// When a field was read: later ones win where fields contradict each other.
    fn rank(&self, field: Field) -> Option<usize> {
        self.set.iter().position(|(known, _)| *known == field)
    }

    fn moment(&self, zone: &TimeZone, lenient: bool) -> Option<i64> {
        if !lenient && !self.in_range() {
            return None;
        }
        let local = self.days().checked_mul(86_400_000)?.checked_add(self.time())?;
        let place = self.offset.map_or(Place::Zone(zone), Place::Offset);
        moment_of(local, &place)
    }

    fn year(&self) -> i64 {
        let year = self.get(Field::Year).or_else(|| self.get(Field::WeekYear)).unwrap_or(1970);
        if self.era == Some(0) { 1 - year } else { year }
    }

    fn days(&self) -> i64 {
        let year = self.year();
        let day_name = self.get(Field::DayName);
        let by_month = self.rank(Field::DayOfMonth).or(self.rank(Field::Month));
        let by_year = self.rank(Field::DayOfYear);
        let by_week = self.rank(Field::WeekOfYear).filter(|_| day_name.is_some() || by_month.is_none());
        let new_year = days_from_civil(year, 1, 1);
        if by_year.is_some() && by_year >= by_month && by_year >= by_week {
            return new_year + self.get(Field::DayOfYear).unwrap_or(1) - 1;
        }
        if by_week.is_some() && by_week >= by_month {
            let sunday = new_year - weekday(new_year);
            return sunday + (self.get(Field::WeekOfYear).unwrap_or(1) - 1) * 7 + day_name.unwrap_or(0);
        }
        let month = self.get(Field::Month).unwrap_or(0) + 1;
        let first = days_from_civil(year, month, 1);
        if let (Some(week), Some(day)) = (self.get(Field::WeekOfMonth), day_name) {
            return first - weekday(first) + (week - 1) * 7 + day;
        }
        first + self.get(Field::DayOfMonth).unwrap_or(1) - 1
    }

    /// Milliseconds since midnight.
    fn time(&self) -> i64 {
        let by_half = self.rank(Field::HourOfHalf).max(self.rank(Field::Half));
        let hour = if by_half > self.rank(Field::HourOfDay) {
            self.get(Field::HourOfHalf).unwrap_or(0) + 12 * self.get(Field::Half).unwrap_or(0)
        } else {
            self.get(Field::HourOfDay).unwrap_or(0)
        };
        let field = |field| self.get(field).unwrap_or(0);
        ((hour * 60 + field(Field::Minute)) * 60 + field(Field::Second)) * 1000 + field(Field::Millisecond)
    }

    /// Whether every field lies in its range and agrees with the others.
    fn in_range(&self) -> bool {
        let (year, month) = (self.year(), self.get(Field::Month).unwrap_or(0) + 1);
        let month_length = days_from_civil(year, month + 1, 1) - days_from_civil(year, month, 1);
        let year_length = days_from_civil(year + 1, 1, 1) - days_from_civil(year, 1, 1);
        self.set.iter().all(|(field, value)| match field {
            Field::Year | Field::WeekYear => *value >= 1,
            Field::Month => (0..=11).contains(value),
            Field::DayOfMonth => (1..=month_length).contains(value),
            Field::DayOfYear => (1..=year_length).contains(value),
            Field::WeekOfYear => (1..=53).contains(value),
            Field::WeekOfMonth => (0..=6).contains(value),
            Field::DayOfWeekInMonth => (1..=5).contains(value),
            Field::DayName => weekday(self.days()) == *value,
            Field::HourOfDay => (0..=23).contains(value),
            Field::HourOfHalf => (0..=11).contains(value),
            Field::Minute | Field::Second => (0..=59).contains(value),
            Field::Millisecond => (0..=999).contains(value),
            _ => true,
        })
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
            ("yyyy D", "2016 6"),
            ("yyyy-MM-dd z", "2016-01-06 UTC"),
            ("yyyy-MM-dd HH:mm Z", "2016-01-05 19:00 -0500"),
            ("yyyy-MM-dd HH:mm z", "2016-01-05 16:00 PST"),
            ("yyyy-MM-dd", "2016-01-06 and more"),
            ("yyyy-MM-dd", "2015-12-37"),
            ("MM/dd/yyyy kk", "01/06/2016 24"),
        ] {
            assert_eq!(read(format, text, true), midnight, "{format} {text}");
        }
    }

    #[test]
    fn what_is_not_written_so_is_no_date() {
        for (format, text) in [
            ("yyyy-MM-dd", "2016/01/06"),
            ("yyyy", ""),
            ("yyyyMMdd", "2016"),
            ("MMM", "Foo"),
            ("z", "QQQ"),
            ("yyyy", "99999999999999999999"),
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
}
