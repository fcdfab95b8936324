//! `%t…` of Java's `Formatter`: a part of a moment, in the zone of the environment.

use jiff::tz::TimeZone;

use crate::functions::dates::Format;

/// The part that a letter of `%t` names; nothing for a letter that names none.
pub(super) fn part(letter: char, millis: i64, zone: &TimeZone) -> String {
    let pattern = match letter {
        'H' => "HH",
        'I' => "hh",
        'k' => "H",
        'l' => "h",
        'M' => "mm",
        'S' => "ss",
        'L' => "SSS",
        'N' => "SSS'000000'",
        'p' => return write("a", millis, zone).to_lowercase(),
        'z' => "Z",
        'Z' => "z",
        's' => return (millis / 1000).to_string(),
        'Q' => return millis.to_string(),
        'B' => "MMMM",
        'b' | 'h' => "MMM",
        'A' => "EEEE",
        'a' => "EEE",
        'C' => {
            let year = write("yyyy", millis, zone);
            return format!("{:0>2}", &year[..year.len().saturating_sub(2)]);
        }
        'Y' => "yyyy",
        'y' => "yy",
        'j' => "DDD",
        'm' => "MM",
        'd' => "dd",
        'e' => "d",
        'R' => "HH:mm",
        'T' => "HH:mm:ss",
        'r' => "hh:mm:ss a",
        'D' => "MM/dd/yy",
        'F' => "yyyy-MM-dd",
        'c' => "EEE MMM dd HH:mm:ss z yyyy",
        _ => return String::new(),
    };
    write(pattern, millis, zone)
}

fn write(pattern: &str, millis: i64, zone: &TimeZone) -> String {
    Format::parse(pattern).map(|format| format.write(millis, zone)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_written_as_java_writes_them() {
        for (letter, text) in [
            ('F', "2016-08-25"),
            ('T', "13:27:10"),
            ('r', "01:27:10 PM"),
            ('p', "pm"),
            ('N', "748000000"),
            ('C', "20"),
            ('j', "238"),
            ('e', "25"),
            ('s', "1472131630"),
            ('c', "Thu Aug 25 13:27:10 UTC 2016"),
        ] {
            assert_eq!(part(letter, 1_472_131_630_748, &TimeZone::UTC), text, "{letter}");
        }
    }
}
