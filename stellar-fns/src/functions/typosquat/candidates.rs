//! The ways in which a name can be mistyped or imitated; each gives its candidates to a collector, which may refuse.

use super::{glyphs, keys};
use crate::error::Fault;

/// Takes a candidate.
type Collect<'a> = &'a mut dyn FnMut(String) -> Result<(), Fault>;

/// Gives the candidates of one kind.
type Way = fn(&str, Collect<'_>) -> Result<(), Fault>;

/// All ways.
pub(super) const WAYS: &[Way] = &[
    addition,
    bit_flips,
    homoglyphs,
    |name, collect| between(name, collect, "-", |_, _| true),
    insertion,
    omission,
    repetition,
    replacement,
    |name, collect| between(name, collect, ".", |left, right| !"-.".contains(left) && !"-.".contains(right)),
    transposition,
    vowel_swap,
];

/// The characters of a name, with what is before and after each.
fn parts(name: &str) -> impl Iterator<Item = (&str, char, &str)> {
    name.char_indices().map(|(at, char)| (&name[..at], char, &name[at + char.len_utf8()..]))
}

/// A letter more at the end.
fn addition(name: &str, collect: Collect<'_>) -> Result<(), Fault> {
    ('a'..='z').try_for_each(|letter| collect(format!("{name}{letter}")))
}

/// One of the lowest eight bits of a character flipped, as bad memory does it.
fn bit_flips(name: &str, collect: Collect<'_>) -> Result<(), Fault> {
    for (before, char, after) in parts(name) {
        for bit in 0..8 {
            let flipped = char::from_u32(u32::from(char) ^ 1 << bit);
            if let Some(flipped @ ('0'..='9' | 'a'..='z' | '-')) = flipped {
                collect(format!("{before}{flipped}{after}"))?;
            }
        }
    }
    Ok(())
}

/// A letter replaced by what looks like it, at one place or at several that follow each other, but never from the first character to the last; also in the
/// form that is registered (`xn--…`).
fn homoglyphs(name: &str, collect: Collect<'_>) -> Result<(), Fault> {
    let name = if is_encoded(name) { idna::domain_to_unicode(name).0 } else { name.to_owned() };
    for letter in 'a'..='z' {
        let places: Vec<usize> = name.match_indices(letter).map(|(place, _)| place).collect();
        for (first, from) in places.iter().enumerate() {
            for to in &places[first..] {
                let (before, middle, after) = (&name[..*from], &name[*from..=*to], &name[*to + 1..]);
                if before.is_empty() && after.is_empty() {
                    continue;
                }
                for glyph in glyphs::look_alikes(letter) {
                    let candidate = format!("{before}{}{after}", middle.replace(letter, &glyph));
                    let encoded = encode(&candidate);
                    collect(candidate)?;
                    encoded.map_or(Ok(()), &mut *collect)?;
                }
            }
        }
    }
    Ok(())
}

/// The form in which a name is registered, if it needs one and no label gets too long for it.
fn encode(name: &str) -> Option<String> {
    const PREFIX: usize = 4;
    const LABEL: usize = 63;
    let fits = |name: &str, most: usize| name.split('.').all(|label| label.chars().count() <= most);
    if name.is_ascii() || !fits(name, LABEL - PREFIX) {
        return None;
    }
    idna::domain_to_ascii(name).ok().filter(|encoded| fits(encoded, LABEL))
}

fn is_encoded(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.starts_with("xn--") || lower.contains(".xn--")
}

/// Something put between two characters that allow it.
fn between(name: &str, collect: Collect<'_>, put: &str, allowed: fn(char, char) -> bool) -> Result<(), Fault> {
    let mut last = None;
    for (before, char, after) in parts(name) {
        if last.is_some_and(|last| allowed(last, char)) {
            collect(format!("{before}{put}{char}{after}"))?;
        }
        last = Some(char);
    }
    Ok(())
}

/// A neighbouring key hit too, before or after a key other than the first and the last.
fn insertion(name: &str, collect: Collect<'_>) -> Result<(), Fault> {
    for (before, char, after) in parts(name).filter(|(before, _, after)| !before.is_empty() && !after.is_empty()) {
        for key in keys::neighbours(char).chars() {
            collect(format!("{before}{key}{char}{after}"))?;
            collect(format!("{before}{char}{key}{after}"))?;
        }
    }
    Ok(())
}

/// A character left out.
fn omission(name: &str, collect: Collect<'_>) -> Result<(), Fault> {
    parts(name).try_for_each(|(before, _, after)| collect(format!("{before}{after}")))
}

/// A letter typed twice.
fn repetition(name: &str, collect: Collect<'_>) -> Result<(), Fault> {
    parts(name)
        .filter(|(_, char, _)| char.is_alphabetic())
        .try_for_each(|(before, char, after)| collect(format!("{before}{char}{char}{after}")))
}

/// A neighbouring key hit instead.
fn replacement(name: &str, collect: Collect<'_>) -> Result<(), Fault> {
    for (before, char, after) in parts(name) {
        for key in keys::neighbours(char).chars() {
            collect(format!("{before}{key}{after}"))?;
        }
    }
    Ok(())
}

/// Two characters swapped.
fn transposition(name: &str, collect: Collect<'_>) -> Result<(), Fault> {
    for (before, char, after) in parts(name) {
        let mut rest = after.chars();
        if let Some(next) = rest.next() {
            collect(format!("{before}{next}{char}{}", rest.as_str()))?;
        }
    }
    Ok(())
}

/// A vowel replaced by another.
fn vowel_swap(name: &str, collect: Collect<'_>) -> Result<(), Fault> {
    const VOWELS: &str = "aeiou";
    for (before, _, after) in parts(name).filter(|(_, char, _)| VOWELS.contains(*char)) {
        for vowel in VOWELS.chars() {
            collect(format!("{before}{vowel}{after}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(way: Way, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        way(name, &mut |candidate| {
            found.push(candidate);
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn look_alikes_come_with_their_registered_form() {
        let found = all(homoglyphs, "wax");
        assert!(found.contains(&"w\u{430}x".to_owned()), "{found:?}");
        assert!(found.contains(&"xn--wx-7kc".to_owned()), "{found:?}");
        assert!(found.contains(&"vvax".to_owned()), "{found:?}");
    }

    #[test]
    fn every_letter_of_a_run_may_change_but_not_the_whole_name() {
        let found = all(homoglyphs, "lol");
        assert!(found.contains(&"1ol".to_owned()) && found.contains(&"lo1".to_owned()));
        assert!(!found.contains(&"1o1".to_owned()));
        assert!(all(homoglyphs, "xlolx").contains(&"x1o1x".to_owned()));
    }

    #[test]
    fn what_is_too_long_to_be_registered_has_no_registered_form() {
        assert!(encode(&"é".repeat(40)).is_some());
        assert_eq!(encode(&format!("{}é", "a".repeat(59))), None);
        assert_eq!(encode("plain"), None);
    }

    #[test]
    fn keys_are_inserted_between_the_first_and_the_last() {
        let found = all(insertion, "abc");
        assert!(found.contains(&"avbc".to_owned()) && found.contains(&"abvc".to_owned()));
        assert!(found.iter().all(|name| name.starts_with('a') && name.ends_with('c')));
    }

    #[test]
    fn dots_never_touch_a_hyphen() {
        let found = all(WAYS[8], "ab-c");
        assert_eq!(found, ["a.b-c"]);
    }
}
