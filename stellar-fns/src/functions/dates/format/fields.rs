//! From the fields that a text names to a moment, by the rules of `java.util.Calendar`: of fields that contradict each other those that were set last count.

use jiff::tz::TimeZone;

use crate::functions::dates::calendar::{CUTOVER, CUTOVER_YEAR, DAY, Moment, date_of, gregorian, julian, weekday};
use crate::functions::dates::clock;

/// A field of a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Era,
    Year,
    /// January is 0.
    Month,
    WeekOfYear,
    WeekOfMonth,
    DayOfMonth,
    DayOfYear,
    /// Sunday is 1.
    DayOfWeek,
    DayOfWeekInMonth,
    Half,
    HourOfHalf,
    HourOfDay,
    Minute,
    Second,
    Millisecond,
    WeekYear,
}

const SLOTS: usize = Slot::WeekYear as usize + 1;

/// When a field was set, from 1; 0 if it wasn't.
type Stamp = u32;

/// The fields that were set, and when.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    values: [i64; SLOTS],
    stamps: [Stamp; SLOTS],
    last: Stamp,
    /// Milliseconds ahead of UTC, where the text says so.
    pub offset: Option<i64>,
}

/// By what the day is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Day {
    OfMonth,
    WeekOfMonth,
    WeekdayInMonth,
    OfYear,
    WeekOfYear,
}

impl Fields {
    pub(super) fn set(&mut self, slot: Slot, value: i64) {
        self.last += 1;
        self.values[slot as usize] = value;
        self.stamps[slot as usize] = self.last;
    }

    fn stamp(&self, slot: Slot) -> Stamp {
        self.stamps[slot as usize]
    }

    fn get(&self, slot: Slot) -> Option<i64> {
        (self.stamp(slot) > 0).then_some(self.values[slot as usize])
    }

    /// The moment in milliseconds since 1970. Strictly, only if every field that was set is one of that moment's.
    pub(super) fn moment(&self, zone: &TimeZone, lenient: bool) -> Option<i64> {
        let mut fields = self.clone();
        if self.stamp(Slot::WeekYear) > self.stamp(Slot::Year) {
            fields.set_week_date(lenient)?;
        }
        let time = fields.time();
        let days = fields.days(time.div_euclid(DAY), lenient)?;
        let local = days.wrapping_mul(DAY).wrapping_add(time.rem_euclid(DAY));
        let millis = match self.offset {
            Some(offset) => local.wrapping_sub(offset),
            None => clock::moment_of(local, zone)?,
        };
        (lenient || fields.agree_with(local)).then_some(millis)
    }

    /// Sets the date that a year of weeks, a week and a day of the week name.
    fn set_week_date(&mut self, lenient: bool) -> Option<()> {
        let year = self.get(Slot::WeekYear).unwrap_or(1970);
        let week = self.get(Slot::WeekOfYear).unwrap_or(1);
        let day = self.get(Slot::DayOfWeek).unwrap_or(1);
        let (week, day) = match day {
            1..=7 => (week, day),
            _ if !lenient => return None,
            // Outside of the week Java takes Monday for the first day.
            day => (week + (day - 1).div_euclid(7), (day - 1).rem_euclid(7) + 2),
        };
        let first = if year > CUTOVER_YEAR { gregorian(year, 1) } else { julian(year, 1) };
        let days = first - weekday(first) + day - 1 + 7 * (week - 1);
        if !lenient {
            let moment = Moment::at(days.checked_mul(DAY)?, &TimeZone::UTC);
            if moment.week_year() != year || moment.week_of_year() != week {
                return None;
            }
        }
        let (year, month, day) = date_of(days);
        self.set(Slot::Year, year);
        self.set(Slot::Month, month - 1);
        self.set(Slot::DayOfMonth, day);
        Some(())
    }

    /// Milliseconds since midnight, or before it, or beyond the end of the day.
    fn time(&self) -> i64 {
        let by_half = both(self.stamp(Slot::HourOfHalf), self.stamp(Slot::Half));
        let by_day = self.stamp(Slot::HourOfDay);
        let hour = if by_day > 0 && by_day > by_half {
            self.get(Slot::HourOfDay).unwrap_or(0)
        } else {
            self.get(Slot::HourOfHalf).unwrap_or(0) + 12 * self.get(Slot::Half).unwrap_or(0)
        };
        let field = |slot| self.get(slot).unwrap_or(0);
        ((hour * 60 + field(Slot::Minute)) * 60 + field(Slot::Second)) * 1000 + field(Slot::Millisecond)
    }

    /// Which fields tell the day, and whether the day of the week is one of them.
    fn day(&self) -> Day {
        let stamp = |slot| self.stamp(slot);
        let weekday = stamp(Slot::DayOfWeek);
        let (week_of_month, in_month, week_of_year) =
            (stamp(Slot::WeekOfMonth), stamp(Slot::DayOfWeekInMonth), stamp(Slot::WeekOfYear));
        let mut candidates = [both(week_of_month, weekday), both(in_month, weekday), both(week_of_year, weekday)];
        let (mut of_month, of_year) = (stamp(Slot::DayOfMonth), stamp(Slot::DayOfYear));
        let best = |of_month: Stamp, candidates: &[Stamp; 3]| {
            candidates.iter().copied().fold(of_month.max(of_year), Stamp::max)
        };
        let mut newest = best(of_month, &candidates);
        if newest == 0 {
            // No combination is complete: a week alone counts, then the day of the week, then the month.
            candidates = [week_of_month, in_month.max(weekday), week_of_year];
            newest = best(0, &candidates);
            if newest == 0 {
                of_month = stamp(Slot::Month);
                newest = of_month;
            }
        }
        let [by_week_of_month, by_weekday, _] = candidates;
        if newest == of_month {
            Day::OfMonth
        } else if newest == by_week_of_month && week_of_month >= week_of_year
            || newest == by_weekday && in_month >= week_of_year
        {
            let week =
                if by_week_of_month == by_weekday { week_of_month >= in_month } else { newest == by_week_of_month };
            if week { Day::WeekOfMonth } else { Day::WeekdayInMonth }
        } else if newest == of_year {
            Day::OfYear
        } else {
            Day::WeekOfYear
        }
    }

    /// Days since 1970; `carried` come from the time of day.
    fn days(&self, carried: i64, lenient: bool) -> Option<i64> {
        let year = self.get(Slot::Year).unwrap_or(1970);
        let year = if self.get(Slot::Era) == Some(0) { 1 - year } else { year };
        let day = self.day();
        let gregorian = carried + self.days_in(year, day, gregorian);
        let julian = carried + self.days_in(year, day, julian);
        let by_year = matches!(day, Day::OfYear | Day::WeekOfYear);
        Some(match (gregorian >= CUTOVER, julian >= CUTOVER) {
            (true, _) if year > CUTOVER_YEAR => gregorian,
            (_, false) if year < CUTOVER_YEAR => julian,
            _ if by_year => julian,
            (true, _) => gregorian,
            (false, false) => julian,
            // Ten days that never were.
            (false, true) => lenient.then_some(julian)?,
        })
    }

    /// Days since 1970 in a calendar that says on which day a month begins.
    fn days_in(&self, year: i64, day: Day, first_of: fn(i64, i64) -> i64) -> i64 {
        let by_year = matches!(day, Day::OfYear | Day::WeekOfYear);
        let month = if by_year { 1 } else { self.get(Slot::Month).unwrap_or(0) + 1 };
        let first = first_of(year, month);
        let sunday = first - weekday(first);
        let named = self.get(Slot::DayOfWeek);
        // The last day of that name up to a day.
        let on_or_before = |days: i64, name: i64| days - (weekday(days) - (name - 1)).rem_euclid(7);
        let in_week =
            |sunday: i64, week: i64| named.map_or(sunday, |name| on_or_before(sunday + 6, name)) + 7 * (week - 1);
        match day {
            Day::OfMonth => first + self.get(Slot::DayOfMonth).unwrap_or(1) - 1,
            Day::OfYear => first + self.get(Slot::DayOfYear).unwrap_or(1) - 1,
            Day::WeekOfMonth => in_week(sunday, self.get(Slot::WeekOfMonth).unwrap_or(0)),
            Day::WeekOfYear => in_week(sunday, self.get(Slot::WeekOfYear).unwrap_or(1)),
            Day::WeekdayInMonth => {
                let name = named.unwrap_or(1);
                let nth = self.get(Slot::DayOfWeekInMonth).unwrap_or(1);
                if nth >= 0 {
                    on_or_before(first + 7 * nth - 1, name)
                } else {
                    on_or_before(first_of(year, month + 1) + 7 * (nth + 1) - 1, name)
                }
            }
        }
    }

    /// Whether every field that was set is that of the time that clocks show.
    fn agree_with(&self, local: i64) -> bool {
        let moment = Moment::at(local, &TimeZone::UTC);
        let time = moment.time_of_day();
        let hour = time / 3_600_000;
        [
            (Slot::Era, i64::from(moment.year() > 0)),
            (Slot::Year, moment.year_of_era()),
            (Slot::Month, moment.month()),
            (Slot::WeekOfYear, moment.week_of_year()),
            (Slot::WeekOfMonth, moment.week_of_month()),
            (Slot::DayOfMonth, moment.day_of_month()),
            (Slot::DayOfYear, moment.day_of_year()),
            (Slot::DayOfWeek, moment.day_of_week()),
            (Slot::DayOfWeekInMonth, moment.day_of_week_in_month()),
            (Slot::Half, hour / 12),
            (Slot::HourOfHalf, hour % 12),
            (Slot::HourOfDay, hour),
            (Slot::Minute, time / 60_000 % 60),
            (Slot::Second, time / 1000 % 60),
            (Slot::Millisecond, time % 1000),
        ]
        .into_iter()
        .all(|(slot, value)| self.get(slot).is_none_or(|set| set == value))
    }
}

/// When the later of two fields was set; 0 unless both were.
fn both(left: Stamp, right: Stamp) -> Stamp {
    if left == 0 || right == 0 { 0 } else { left.max(right) }
}
