//! Zones by the names that Java's `TimeZone` knows: those of the tz database, old short ones, `GMT+5:30`. An unknown name means GMT.

use jiff::tz::{Offset, TimeZone};

use crate::error::Fault;
use crate::function::Context;
use crate::value::Value;

/// Short names that the tz database lacks or means otherwise.
const SHORT: [(&str, &str); 25] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

/// The zone that an argument names; that of the environment for null.
pub(super) fn zone(value: &Value, context: &mut Context<'_>) -> Result<TimeZone, Fault> {
    if value.is_null() {
        return Ok(context.environment().zone.clone());
    }
    Ok(named(&context.text_of(value)?))
}

/// The zone of this name; GMT for an unknown one.
fn named(name: &str) -> TimeZone {
    known(name).or_else(|| TimeZone::get("GMT").ok()).unwrap_or(TimeZone::UTC)
}

/// The zone of this name, if there is one.
pub(crate) fn known(name: &str) -> Option<TimeZone> {
    let known = SHORT.iter().find(|(short, _)| *short == name).map_or(name, |(_, known)| known);
    // Names count by their exact case.
    let found = TimeZone::get(known).ok().filter(|zone| zone.iana_name() == Some(known));
    found.or_else(|| custom(name))
}

/// `GMT+5`, `GMT-05:30`, `GMT+0530`
fn custom(name: &str) -> Option<TimeZone> {
    let rest = name.strip_prefix("GMT")?;
    let sign = match rest.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (hours, minutes) = match rest[1..].split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if rest.len() > 3 => rest[1..].split_at_checked(rest.len() - 3)?,
        None => (&rest[1..], "00"),
    };
    let number =
        |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i32>().ok()).flatten();
    let (hours, minutes) =
        (number(hours).filter(|hours| *hours <= 23)?, number(minutes).filter(|minutes| *minutes <= 59)?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok().map(TimeZone::fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_found_by_javas_names() {
        let offset = |name: &str| named(name).to_offset(jiff::Timestamp::from_second(1_452_013_350).unwrap()).seconds();
        assert_eq!(offset("America/New_York"), -18_000);
        assert_eq!(offset("PST"), -28_800);
        assert_eq!(offset("EST"), -18_000);
        assert_eq!(offset("GMT+5:30"), 19_800);
        assert_eq!(offset("GMT-0530"), -19_800);
        assert_eq!(offset("GMT+5"), 18_000);
        assert_eq!(offset("Nowhere"), 0);
        assert_eq!(offset("america/new_york"), 0);
    }
}
