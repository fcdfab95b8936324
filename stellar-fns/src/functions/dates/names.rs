//! English names of months, days and zones.

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// From Sunday.
pub(super) const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(super) const HALVES: [&str; 2] = ["AM", "PM"];
pub(super) const ERAS: [&str; 2] = ["BC", "AD"];
pub(super) const LONG_ERAS: [&str; 2] = ["Before Christ", "Anno Domini"];

/// Short name, long name and offset in minutes of zones that texts name.
pub(super) const ZONES: [(&str, &str, i64); 34] = [
    ("UTC", "Coordinated Universal Time", 0),
    ("GMT", "Greenwich Mean Time", 0),
    ("EST", "Eastern Standard Time", -300),
    ("EDT", "Eastern Daylight Time", -240),
    ("CST", "Central Standard Time", -360),
    ("CDT", "Central Daylight Time", -300),
    ("MST", "Mountain Standard Time", -420),
    ("MDT", "Mountain Daylight Time", -360),
    ("PST", "Pacific Standard Time", -480),
    ("PDT", "Pacific Daylight Time", -420),
    ("AKST", "Alaska Standard Time", -540),
    ("AKDT", "Alaska Daylight Time", -480),
    ("HST", "Hawaii Standard Time", -600),
    ("AST", "Atlantic Standard Time", -240),
    ("ADT", "Atlantic Daylight Time", -180),
    ("NST", "Newfoundland Standard Time", -210),
    ("NDT", "Newfoundland Daylight Time", -150),
    ("WET", "Western European Time", 0),
    ("WEST", "Western European Summer Time", 60),
    ("BST", "British Summer Time", 60),
    ("CET", "Central European Time", 60),
    ("CEST", "Central European Summer Time", 120),
    ("EET", "Eastern European Time", 120),
    ("EEST", "Eastern European Summer Time", 180),
    ("MSK", "Moscow Standard Time", 180),
    ("IST", "India Standard Time", 330),
    ("JST", "Japan Standard Time", 540),
    ("KST", "Korean Standard Time", 540),
    ("AWST", "Australian Western Standard Time", 480),
    ("ACST", "Australian Central Standard Time", 570),
    ("AEST", "Australian Eastern Standard Time", 600),
    ("AEDT", "Australian Eastern Daylight Time", 660),
    ("NZST", "New Zealand Standard Time", 720),
    ("NZDT", "New Zealand Daylight Time", 780),
];

/// The first three letters.
pub(super) fn short(name: &'static str) -> &'static str {
    &name[..3]
}

/// More short names, as Java reads them, with their offsets in minutes; these go before those of [`ZONES`].
pub(super) const ZONES_READ: [(&str, i64); 42] = [
    ("ACDT", 570),
    ("ACST", 570),
    ("ALMT", 360),
    ("ART", -180),
    ("AWDT", 480),
    ("BRST", -180),
    ("BRT", -180),
    ("CAT", 120),
    ("CCT", 390),
    ("CLT", -240),
    ("COT", -300),
    ("ChST", 600),
    ("EAT", 180),
    ("GET", 240),
    ("GST", 240),
    ("HADT", -540),
    ("HAST", -600),
    ("HKT", 480),
    ("ICT", 420),
    ("IDT", 180),
    ("IRDT", 210),
    ("IRST", 210),
    ("IST", 120),
    ("MEST", 120),
    ("MET", 60),
    ("MSD", 180),
    ("MYT", 480),
    ("NPT", 345),
    ("NUT", -660),
    ("PET", -300),
    ("PGT", 600),
    ("PKT", 300),
    ("SAST", 120),
    ("SGT", 480),
    ("SST", -660),
    ("TRT", 180),
    ("UZT", 300),
    ("VET", -240),
    ("WAT", 60),
    ("WIB", 420),
    ("WIT", 540),
    ("WITA", 540),
];
