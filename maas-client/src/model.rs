//! Checked names: a model's name, a version's text with its natural order, and the two together.
//!
//! Everything from outside passes through these before it reaches a path, a znode or a process.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest name or version, in characters (all of them ASCII).
pub const MAX_LENGTH: usize = 128;

/// Why a text is no name or version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing was given.
    #[error("{what} is empty")]
    Empty {
        /// `name` or `version`.
        what: &'static str,
    },
    /// A character that is not allowed, or not at that place.
    #[error("{what} {value:?}: character {character:?} at {position}; {allowed}")]
    Character {
        /// `name` or `version`.
        what: &'static str,
        /// The whole value, cut to 160 characters.
        value: String,
        /// The first offending character.
        character: char,
        /// Its place, counted from 1.
        position: usize,
        /// What is allowed, for the message.
        allowed: &'static str,
    },
    /// More than [`MAX_LENGTH`] characters.
    #[error("{what} has {length} characters; at most {MAX_LENGTH}")]
    TooLong {
        /// `name` or `version`.
        what: &'static str,
        /// How many there are.
        length: usize,
    },
}

fn check(what: &'static str, value: &str, extra: &str, allowed: &'static str) -> Result<(), Error> {
    if value.is_empty() {
        return Err(Error::Empty { what });
    }
    for (index, character) in value.chars().enumerate() {
        let first_ok = character.is_ascii_alphanumeric();
        let later_ok = first_ok || "._-".contains(character) || extra.contains(character);
        if (index == 0 && !first_ok) || !later_ok {
            let shown: String = value.chars().take(160).collect();
            return Err(Error::Character { what, value: shown, character, position: index + 1, allowed });
        }
    }
    if value.len() > MAX_LENGTH {
        return Err(Error::TooLong { what, length: value.len() });
    }
    Ok(())
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $extra:literal, $allowed:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text as it was given.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl FromStr for $name {
            type Err = Error;
            fn from_str(value: &str) -> Result<Self, Error> {
                check($what, value, $extra, $allowed)?;
                Ok($name(value.into()))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(&self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Debug::fmt(&*self.0, f) }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str { &self.0 }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str { &self.0 }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

checked_text!(
    /// A model's name: `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`. Ordered as text.
    ModelName, "name", "", "letters, digits, . _ - only, the first a letter or digit"
);
checked_text!(
    /// A version's text: as a name, and `+`. Ordered naturally: `9.0 < 10.0`, `1.0-rc1 < 1.0`.
    ///
    /// Versions that compare equal naturally but differ as text (`1.0`, `1.00`) are ordered as text,
    /// so that the order is total and agrees with equality.
    ModelVersion, "version", "+", "letters, digits, . _ - + only, the first a letter or digit"
);

impl PartialOrd for ModelName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for ModelName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl PartialOrd for ModelVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for ModelVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        natural_order(&self.0, &other.0).then_with(|| self.0.cmp(&other.0))
    }
}

/// One part of a version: digits compare as numbers of any length, letters as text.
#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    /// What follows a `-`, or letters directly after a number (`1.0rc1`): comes before the end of the text.
    Pre(&'a str),
    /// A run of digits without leading zeros.
    Number(&'a str),
    /// A run of letters after a dot or an underscore.
    Word(&'a str),
    /// Build metadata after `+`: comes after the end of the text.
    Build(&'a str),
}

impl Part<'_> {
    /// Pre-releases sort before the end, all else after it.
    fn rank(&self) -> i8 {
        match self {
            Part::Pre(_) => -1,
            Part::Build(_) => 1,
            Part::Word(_) => 2,
            Part::Number(_) => 3,
        }
    }
}

/// Cuts a version into parts. The separator before a run of letters decides whether it is a pre-release.
fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut separator = None;
        while let Some(character) = rest.chars().next().filter(|c| !c.is_ascii_alphanumeric()) {
            separator = Some(character);
            rest = &rest[1..];
        }
        let first = rest.chars().next()?;
        let digits = first.is_ascii_digit();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() || c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let run = &rest[..end];
        rest = &rest[end..];
        Some(match (separator, digits) {
            (Some('+'), _) => Part::Build(run),
            (_, true) => Part::Number(run.trim_start_matches('0')),
            (Some('-') | None, false) => Part::Pre(run),
            (_, false) => Part::Word(run),
        })
    })
}

fn compare_part(left: &Part<'_>, right: &Part<'_>) -> Ordering {
    match (left, right) {
        (Part::Number(a), Part::Number(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (Part::Pre(a), Part::Pre(b)) | (Part::Word(a), Part::Word(b)) | (Part::Build(a), Part::Build(b)) => a.cmp(b),
        _ => left.rank().cmp(&right.rank()),
    }
}

/// Compares two version texts by natural order. Pure; equal texts are equal.
pub fn natural_order(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (parts(left), parts(right));
    loop {
        let ordering = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (Some(part), None) => part.rank().cmp(&0),
            (None, Some(part)) => 0.cmp(&part.rank()),
            (Some(a), Some(b)) => compare_part(&a, &b),
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

/// One version of one model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModelId {
    /// The model.
    pub name: ModelName,
    /// Its version.
    pub version: ModelVersion,
}

impl ModelId {
    /// Checks both texts.
    pub fn new(name: &str, version: &str) -> Result<Self, Error> {
        Ok(ModelId { name: name.parse()?, version: version.parse()? })
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_naturally() {
        let ascending = [
            "1.0-alpha",
            "1.0-rc1",
            "1.0-rc2",
            "1.0-rc10",
            "1.0",
            "1.0+build1",
            "1.0.1",
            "1.1",
            "2",
            "2.0",
            "9.0",
            "10.0",
            "2024.01.02",
            "99999999999999999999999999",
        ];
        for pair in ascending.windows(2) {
            let (low, high): (ModelVersion, ModelVersion) = (pair[0].parse().unwrap(), pair[1].parse().unwrap());
            assert!(low < high, "{low} should come before {high}");
        }
        assert!("v9".parse::<ModelVersion>().unwrap() < "v10".parse().unwrap());
    }

    #[test]
    fn names_from_outside_are_refused_with_the_place() {
        let error = "my model".parse::<ModelName>().unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"name "my model": character ' ' at 3; letters, digits, . _ - only, the first a letter or digit"#
        );
        for bad in ["", ".", "..", "a/b", "$(x)", "a\nb", "-a", "a\"", &"x".repeat(129)] {
            assert!(bad.parse::<ModelName>().is_err(), "{bad:?}");
        }
        assert!("1.0+cpu".parse::<ModelVersion>().is_ok());
        assert!("1.0+cpu".parse::<ModelName>().is_err());
    }
}
