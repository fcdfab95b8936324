//! Whole numbers as Java's number format reads them in English: digits with commas between, a minus in front.

/// Whether the text is a whole number in the range of a long.
pub(super) fn is_whole(text: &str) -> bool {
    let text = text.trim_matches(|char| char <= ' ');
    let digits = text.strip_prefix('-').unwrap_or(text);
    // A comma must be followed by a digit, somewhere.
    if digits.ends_with(',') || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b',') {
        return false;
    }
    let plain: String = text.chars().filter(|char| *char != ',').collect();
    plain.parse::<i64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grouped_digits_are_whole_numbers() {
        for text in ["0", "-7", "1,000,000", "9223372036854775807", " 5 "] {
            assert!(is_whole(text), "{text}");
        }
        for text in ["", "-", "+1", "1.0", "1,", "1e3", "9223372036854775808", "1 2", "--1"] {
            assert!(!is_whole(text), "{text}");
        }
    }
}
