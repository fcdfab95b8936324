//! Dates as Java's `GregorianCalendar` reckons them in English: Gregorian from 15 October 1582, Julian before; weeks start on Sunday and the week with
//! January 1 is the first.
//!
//! Where the clocks of a zone stand is `clock`'s affair.

use jiff::tz::TimeZone;

use super::clock;

/// Milliseconds of a day.
pub(super) const DAY: i64 = 86_400_000;

/// Days since 1970 of the first Gregorian date.
pub(super) const CUTOVER: i64 = -141_427;

/// The year in which the calendar changed.
pub(super) const CUTOVER_YEAR: i64 = 1582;

/// A moment in a zone.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    /// Days since 1970 and milliseconds since midnight, as the clocks of the zone show them.
    days: i64,
    time: i64,
    /// Seconds that the zone is ahead of UTC.
    pub offset: i32,
    /// What the zone calls itself then.
    pub abbreviation: String,
    date: (i64, i64, i64),
}

impl Moment {
    /// The moment that many milliseconds after 1970.
    pub(super) fn at(millis: i64, zone: &TimeZone) -> Self {
        let (offset, abbreviation) = clock::at(millis, zone);
        let time = millis.rem_euclid(DAY) + i64::from(offset) * 1000;
        let days = millis.div_euclid(DAY) + time.div_euclid(DAY);
        Self { days, time: time.rem_euclid(DAY), offset, abbreviation, date: date_of(days) }
    }

    /// Zero and below before Christ.
    pub(super) fn year(&self) -> i64 {
        self.date.0
    }

    /// As it is written: years before Christ count from 1, too.
    pub(super) fn year_of_era(&self) -> i64 {
        if self.year() > 0 { self.year() } else { 1 - self.year() }
    }

    /// January is 0.
    pub(super) fn month(&self) -> i64 {
        self.date.1 - 1
    }

    pub(super) fn day_of_month(&self) -> i64 {
        self.date.2
    }

    /// Sunday is 1.
    pub(super) fn day_of_week(&self) -> i64 {
        weekday(self.days) + 1
    }

    pub(super) fn day_of_year(&self) -> i64 {
        self.days - new_year(self.year()) + 1
    }

    pub(super) fn week_of_month(&self) -> i64 {
        (self.day_of_month() - 1 + weekday(self.days - self.day_of_month() + 1)) / 7 + 1
    }

    pub(super) fn week_of_year(&self) -> i64 {
        if self.week_year() > self.year() {
            return 1;
        }
        (self.day_of_year() - 1 + weekday(new_year(self.year()))) / 7 + 1
    }

    /// The year that this week belongs to: a week with January 1 is the first of its year.
    pub(super) fn week_year(&self) -> i64 {
        date_of(self.days - weekday(self.days) + 6).0
    }

    /// Which Monday, Tuesday, … of the month it is.
    pub(super) fn day_of_week_in_month(&self) -> i64 {
        (self.day_of_month() - 1) / 7 + 1
    }

    /// Milliseconds since midnight.
    pub(super) fn time_of_day(&self) -> i64 {
        self.time
    }
}

/// Days since 1970 of January 1.
fn new_year(year: i64) -> i64 {
    if year > CUTOVER_YEAR { gregorian(year, 1) } else { julian(year, 1) }
}

/// Year, month from 1 and day of a number of days since 1970.
pub(super) fn date_of(days: i64) -> (i64, i64, i64) {
    let (year, day_of_year) = if days >= CUTOVER { gregorian_year(days) } else { julian_year(days) };
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + i64::from(month <= 2), month, day)
}

/// The year that began in March, and days since then.
fn gregorian_year(days: i64) -> (i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    (year_of_era + era * 400, day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100))
}

fn julian_year(days: i64) -> (i64, i64) {
    let days = days + 719_470;
    let day_of_cycle = days.rem_euclid(1461);
    let year_of_cycle = (day_of_cycle / 365).min(3);
    (days.div_euclid(1461) * 4 + year_of_cycle, day_of_cycle - year_of_cycle * 365)
}

/// The year that began in March, and days since then, of the first of a month; months may lie outside of their range.
fn march_based(year: i64, month: i64) -> (i64, i64) {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    (if month <= 2 { year - 1 } else { year }, (153 * ((month + 9) % 12) + 2) / 5)
}

/// Days since 1970 of the first of a month, in the Gregorian calendar.
pub(super) fn gregorian(year: i64, month: i64) -> i64 {
    let (year, days) = march_based(year, month);
    let year_of_era = year.rem_euclid(400);
    year.div_euclid(400) * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + days - 719_468
}

/// Days since 1970 of the first of a month, in the Julian calendar.
pub(super) fn julian(year: i64, month: i64) -> i64 {
    let (year, days) = march_based(year, month);
    365 * year + year.div_euclid(4) + days - 719_470
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
        for days in (-1_000_000..1_000_000).step_by(97) {
            let (year, month, day) = date_of(days);
            let first = if days >= CUTOVER { gregorian(year, month) } else { julian(year, month) };
            assert_eq!(first + day - 1, days);
        }
        assert_eq!(gregorian(2016, 13), gregorian(2017, 1));
        assert_eq!(date_of(CUTOVER), (1582, 10, 15));
        assert_eq!(date_of(CUTOVER - 1), (1582, 10, 4));
    }

    #[test]
    fn the_last_days_of_a_year_may_belong_to_the_next_ones_first_week() {
        let moment = |year, month, day| Moment::at((gregorian(year, month) + day - 1) * DAY, &TimeZone::UTC);
        assert_eq!((moment(2024, 12, 29).week_of_year(), moment(2024, 12, 29).week_year()), (1, 2025));
        assert_eq!(moment(2024, 12, 28).week_of_year(), 52);
        assert_eq!(moment(2023, 1, 1).week_of_year(), 1);
    }

    #[test]
    fn any_number_of_milliseconds_is_a_moment() {
        assert_eq!(Moment::at(i64::MAX, &TimeZone::UTC).year(), 292_278_994);
        assert_eq!(Moment::at(i64::MIN, &TimeZone::fixed(jiff::tz::offset(-12))).year_of_era(), 292_269_055);
    }
}
