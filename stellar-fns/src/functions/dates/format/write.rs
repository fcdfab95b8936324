//! Writing a moment.

use std::fmt::Write;

use jiff::tz::TimeZone;

use crate::functions::dates::calendar::Moment;
use crate::functions::dates::names::{DAYS, ERAS, HALVES, MONTHS, ZONES, short};

use super::{Field, Format, Part};

impl Format {
    /// The moment as a text, in a zone.
    pub(crate) fn write(&self, millis: i64, zone: &TimeZone) -> String {
        let moment = Moment::at(millis, zone);
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Field(field, count) => write_field(*field, *count, &moment, &mut out),
            }
        }
        out
    }
}

fn write_field(field: Field, count: usize, moment: &Moment, out: &mut String) {
    let time = moment.time_of_day();
    let hour = time / 3_600_000;
    let name = |names: &[&'static str], index: i64| {
        let name = usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default();
        if count >= 4 || name.len() < 3 { name } else { short(name) }
    };
    let number = match field {
        Field::Era => return out.push_str(ERAS[usize::from(moment.year() > 0)]),
        Field::Month if count >= 3 => return out.push_str(name(&MONTHS, moment.month())),
        Field::DayName => return out.push_str(name(&DAYS, moment.day_of_week() - 1)),
        Field::Half => return out.push_str(HALVES[usize::from(hour >= 12)]),
        Field::ZoneName => return out.push_str(&zone_name(moment, count >= 4)),
        Field::ZoneOffset => return out.push_str(&offset(moment.offset, "")),
        Field::ZoneIso => {
            let whole = offset(moment.offset, if count == 3 { ":" } else { "" });
            return out.push_str(if moment.offset == 0 {
                "Z"
            } else if count == 1 {
                &whole[..3]
            } else {
                &whole
            });
        }
        Field::Year | Field::WeekYear => {
            let year = if field == Field::Year { moment.year_of_era() } else { moment.week_year() };
            if count == 2 { year % 100 } else { year }
        }
        Field::Month => moment.month() + 1,
        Field::WeekOfYear => moment.week_of_year(),
        Field::WeekOfMonth => moment.week_of_month(),
        Field::DayOfYear => moment.day_of_year(),
        Field::DayOfMonth => moment.day_of_month(),
        Field::DayOfWeekInMonth => moment.day_of_week_in_month(),
        Field::DayNumber => (moment.day_of_week() + 5) % 7 + 1,
        Field::HourOfDay => hour,
        Field::HourOfDayFromOne => {
            if hour == 0 {
                24
            } else {
                hour
            }
        }
        Field::HourOfHalf => hour % 12,
        Field::HourOfHalfFromOne => (hour + 11) % 12 + 1,
        Field::Minute => time / 60_000 % 60,
        Field::Second => time / 1000 % 60,
        Field::Millisecond => time % 1000,
    };
    let sign = if number < 0 { "-" } else { "" };
    let _ = write!(out, "{sign}{:0count$}", number.abs());
}

fn zone_name(moment: &Moment, long: bool) -> String {
    let short = moment.abbreviation.as_str();
    if !short.starts_with(|char: char| char.is_ascii_alphabetic()) {
        return if moment.offset == 0 { "GMT".to_owned() } else { format!("GMT{}", offset(moment.offset, ":")) };
    }
    // A short name can stand for several zones; the long one is known only where the offset agrees.
    let known = ZONES.iter().find(|(name, _, minutes)| *name == short && minutes * 60 == i64::from(moment.offset));
    match known {
        Some((_, name, _)) if long => (*name).to_owned(),
        _ => short.to_owned(),
    }
}

fn offset(seconds: i32, colon: &str) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
}
