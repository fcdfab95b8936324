//! Days and their numbers: what a moment's date and time of day are in a zone, and which moment a date and time name.
//!
//! Weeks begin on Sunday and the first week of a year or month is the one with its first day, as in Java's default locale. Dates before 1582 are counted by
//! today's calendar, not by the one of their time.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const DAY: i64 = 86_400_000;

/// A moment in a zone.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    /// Milliseconds since 1970 as the clocks of the zone show them.
    local: i64,
    /// Seconds that the zone is ahead of UTC.
    pub offset: i32,
    /// What the zone calls itself then.
    pub abbreviation: String,
    date: (i64, i64, i64),
}

impl Moment {
    /// The moment that many milliseconds after 1970; none outside of the years that zones are known for.
    pub(super) fn at(millis: i64, zone: &TimeZone) -> Option<Self> {
        let timestamp = Timestamp::from_millisecond(millis).ok()?;
        let info = zone.to_offset_info(timestamp);
        let offset = info.offset().seconds();
        let local = millis + i64::from(offset) * 1000;
        Some(Self {
            local,
            offset,
            abbreviation: info.abbreviation().to_owned(),
            date: civil_from_days(local.div_euclid(DAY)),
        })
    }

    pub(super) fn year(&self) -> i64 {
        self.date.0
    }

    /// January is 0.
    pub(super) fn month(&self) -> i64 {
        self.date.1 - 1
    }

    pub(super) fn day_of_month(&self) -> i64 {
        self.date.2
    }

    fn days(&self) -> i64 {
        self.local.div_euclid(DAY)
    }

    /// Sunday is 1.
    pub(super) fn day_of_week(&self) -> i64 {
        weekday(self.days()) + 1
    }

    pub(super) fn day_of_year(&self) -> i64 {
        self.days() - days_from_civil(self.year(), 1, 1) + 1
    }

    pub(super) fn week_of_month(&self) -> i64 {
        (self.day_of_month() - 1 + weekday(self.days() - self.day_of_month() + 1)) / 7 + 1
    }

    pub(super) fn week_of_year(&self) -> i64 {
        if self.week_year() > self.year() {
            return 1;
        }
        (self.day_of_year() - 1 + weekday(days_from_civil(self.year(), 1, 1))) / 7 + 1
    }

    /// The year that this week belongs to: a week with January 1 is the first of its year.
    pub(super) fn week_year(&self) -> i64 {
        let saturday = self.days() - weekday(self.days()) + 6;
        civil_from_days(saturday).0
    }

    /// Which Monday, Tuesday, … of the month it is.
    pub(super) fn day_of_week_in_month(&self) -> i64 {
        (self.day_of_month() - 1) / 7 + 1
    }

    /// Milliseconds since midnight.
    pub(super) fn time_of_day(&self) -> i64 {
        self.local.rem_euclid(DAY)
    }
}

/// Where the clocks of a moment are set.
pub(super) enum Place<'a> {
    Zone(&'a TimeZone),
    /// Seconds ahead of UTC.
    Offset(i64),
}

/// The moment at which clocks show this. A time that clocks skip is moved forward, one that they show twice is the second.
pub(super) fn moment_of(local: i64, place: &Place<'_>) -> Option<i64> {
    let offset = match place {
        Place::Offset(seconds) => *seconds,
        Place::Zone(zone) => {
            let (year, month, day) = civil_from_days(local.div_euclid(DAY));
            let second = local.rem_euclid(DAY) / 1000;
            let civil = DateTime::new(
                i16::try_from(year).ok()?,
                i8::try_from(month).ok()?,
                i8::try_from(day).ok()?,
                i8::try_from(second / 3600).ok()?,
                i8::try_from(second / 60 % 60).ok()?,
                i8::try_from(second % 60).ok()?,
                0,
            );
            let moment = zone.to_ambiguous_timestamp(civil.ok()?).later().ok()?;
            return Some(moment.as_second() * 1000 + local.rem_euclid(1000));
        }
    };
    local.checked_sub(offset * 1000)
}

/// Days since 1970 of a date; months and days may lie outside of their range.
pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468 + day - 1
}

/// Year, month and day of a number of days since 1970.
pub(super) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Sunday is 0.
pub(super) fn weekday(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_numbers_of_days_are_each_others_inverse() {
        for days in (-1_000_000..1_000_000).step_by(997) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(days_from_civil(2016, 13, 1), days_from_civil(2017, 1, 1));
    }

    #[test]
    fn the_last_days_of_a_year_may_belong_to_the_next_ones_first_week() {
        let moment = |year, month, day| Moment::at(days_from_civil(year, month, day) * DAY, &TimeZone::UTC).unwrap();
        assert_eq!((moment(2024, 12, 29).week_of_year(), moment(2024, 12, 29).week_year()), (1, 2025));
        assert_eq!(moment(2024, 12, 28).week_of_year(), 52);
        assert_eq!(moment(2023, 1, 1).week_of_year(), 1);
    }
}
