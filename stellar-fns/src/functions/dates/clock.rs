//! Where the clocks of a zone stand, as Java reckons: before 1900 as they stand today in winter, after year 9999 as in the years before.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::calendar::{DAY, date_of};

/// The start of 1900 in UTC: Java knows no older transitions.
const OLDEST: i64 = -2_208_988_800_000;
/// The start of year 9000; zones repeat every 400 years.
const NEWEST: i64 = 221_845_392_000_000;
const CYCLE: i64 = 146_097 * DAY;

/// Seconds ahead of UTC and the name of the zone at a moment.
pub(super) fn at(millis: i64, zone: &TimeZone) -> (i32, String) {
    if millis < OLDEST {
        return standard(zone);
    }
    info(within(millis), zone)
}

/// The moment at which clocks show this. A time that clocks skip is moved forward, one that they show twice is the second.
pub(super) fn moment_of(local: i64, zone: &TimeZone) -> Option<i64> {
    if local < OLDEST {
        return local.checked_sub(i64::from(standard(zone).0) * 1000);
    }
    let known = within(local);
    let (year, month, day) = date_of(known.div_euclid(DAY));
    let second = known.rem_euclid(DAY) / 1000;
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
    // Java's sum wraps, too, at the end of time.
    Some((moment.as_second() * 1000 + known.rem_euclid(1000)).wrapping_add(local - known))
}

/// The same moment of an earlier cycle, where zones are known.
fn within(millis: i64) -> i64 {
    if millis < NEWEST { millis } else { NEWEST - CYCLE + (millis - NEWEST) % CYCLE }
}

fn info(millis: i64, zone: &TimeZone) -> (i32, String) {
    let timestamp = Timestamp::from_millisecond(millis).unwrap_or_default();
    let info = zone.to_offset_info(timestamp);
    (info.offset().seconds(), info.abbreviation().to_owned())
}

/// The offset of winter in recent years, which Java takes for all of the time before 1900.
fn standard(zone: &TimeZone) -> (i32, String) {
    let (january, july) = (info(2_114_380_800_000, zone), info(2_130_019_200_000, zone));
    if july.0 < january.0 { july } else { january }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_far_moments_have_an_offset() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        assert_eq!(at(OLDEST - 1, &zone).0, 19_800);
        assert_eq!(at(OLDEST, &zone).0, 19_270);
        let zone = TimeZone::get("America/New_York").unwrap();
        assert_eq!(at(i64::MIN, &zone).0, -18_000);
        assert!([-18_000, -14_400].contains(&at(i64::MAX, &zone).0));
        let far = NEWEST + 7 * CYCLE + 12_345;
        assert!(moment_of(i64::MAX, &zone).is_some_and(|moment| moment < 0));
        assert_eq!(moment_of(far + i64::from(at(far, &zone).0) * 1000, &zone), Some(far));
    }
}
