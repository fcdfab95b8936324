//! The ways in which a name is mistaken or mistyped.

use std::collections::BTreeSet;

/// Characters that look alike.
const ALIKE: [(char, &[&str]); 16] = [
    ('a', &["4"]),
    ('b', &["d", "lb"]),
    ('c', &["e"]),
    ('d', &["b", "cl", "dl"]),
    ('e', &["c", "3"]),
    ('g', &["q"]),
    ('h', &["lh"]),
    ('i', &["1", "l"]),
    ('k', &["lk", "ik", "lc"]),
    ('l', &["1", "i"]),
    ('m', &["n", "nn", "rn", "rr"]),
    ('n', &["m", "r"]),
    ('o', &["0"]),
    ('q', &["g"]),
    ('u', &["v"]),
    ('w', &["vv"]),
];

/// Rows of keyboards (English, German, French): neighbours are hit by mistake.
const KEYBOARDS: [[&str; 4]; 3] = [
    ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"],
    ["1234567890", "qwertzuiop", "asdfghjkl", "yxcvbnm"],
    ["1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn"],
];

/// All variants of a label in lower case, without the label itself.
pub(super) fn variants(label: &str) -> BTreeSet<String> {
    let chars: Vec<char> = label.chars().collect();
    let mut found = BTreeSet::new();
    let with = |index: usize, replaced: usize, put: &str| -> String {
        chars[..index].iter().copied().chain(put.chars()).chain(chars[index + replaced..].iter().copied()).collect()
    };
    for (index, char) in chars.iter().copied().enumerate() {
        // A flipped bit in memory.
        if char.is_ascii() {
            for bit in 0..7 {
                let flipped = char::from((u32::from(char) as u8) ^ (1 << bit));
                if flipped.is_ascii_lowercase() || flipped.is_ascii_digit() || flipped == '-' {
                    found.insert(with(index, 1, &flipped.to_string()));
                }
            }
        }
        for alike in ALIKE.iter().filter(|(known, _)| *known == char).flat_map(|(_, alike)| alike.iter()) {
            found.insert(with(index, 1, alike));
        }
        if index > 0 {
            // A hyphen or a dot that isn't there.
            found.insert(with(index, 0, "-"));
            if chars[index - 1] != '-' && char != '-' {
                found.insert(with(index, 0, "."));
            }
            found.insert(transposed(&chars, index));
        }
        // A key that isn't hit, hit twice, or hit beside.
        found.insert(with(index, 1, ""));
        found.insert(with(index, 0, &char.to_string()));
        for neighbour in neighbours(char) {
            found.insert(with(index, 1, &neighbour.to_string()));
            found.insert(with(index, 0, &neighbour.to_string()));
            found.insert(with(index + 1, 0, &neighbour.to_string()));
        }
    }
    for added in 'a'..='z' {
        found.insert(format!("{label}{added}"));
    }
    found.remove(label);
    found.remove("");
    found
}

fn transposed(chars: &[char], index: usize) -> String {
    let mut chars = chars.to_vec();
    chars.swap(index - 1, index);
    chars.into_iter().collect()
}

/// The keys beside a key, left, right, above and below.
fn neighbours(char: char) -> BTreeSet<char> {
    let mut found = BTreeSet::new();
    for rows in KEYBOARDS {
        let Some((row, column)) =
            rows.iter().enumerate().find_map(|(row, keys)| keys.find(char).map(|column| (row, column)))
        else {
            continue;
        };
        let key = |row: usize, column: usize| rows.get(row).and_then(|keys| keys.chars().nth(column));
        let above = row.checked_sub(1);
        let left = column.checked_sub(1);
        found.extend(left.and_then(|left| key(row, left)));
        found.extend(key(row, column + 1));
        found.extend(above.and_then(|above| key(above, column)));
        found.extend(above.and_then(|above| key(above, column + 1)));
        found.extend(key(row + 1, column));
        found.extend(left.and_then(|left| key(row + 1, left)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_lookalikes_are_found() {
        let variants = variants("google");
        for expected in
            ["gogle", "gooogle", "goolge", "g00gle", "qoogle", "go-ogle", "goo.gle", "googlex", "hoogle", "googke"]
        {
            let single = expected != "g00gle";
            assert_eq!(variants.contains(expected), single, "{expected}");
        }
    }
}
