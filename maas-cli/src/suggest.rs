//! "did you mean": the closest of the known words to a mistyped one. Pure.

/// The candidate closest to `word`, if one is close enough to be what was meant. Case does not count.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    // Two slips in a long word, one in a short one.
    let allowed = match wanted.chars().count() {
        0 => return None,
        1..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `"; did you mean X?"`, or nothing.
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    match closest(word, candidates) {
        Some(candidate) => format!("; did you mean {candidate}?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        let modes = ["add", "remove", "list"];
        assert_eq!(closest("lsit", modes), Some("list"));
        assert_eq!(closest("REMVOE", modes), Some("remove"));
        assert_eq!(closest("explode", modes), None);
        assert_eq!(closest("", modes), None);
        assert_eq!(hint("ad", modes), "; did you mean add?");
    }
}
