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
