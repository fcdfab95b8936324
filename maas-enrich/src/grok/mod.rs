//! Grok: patterns made of named patterns, as the original's pattern files write them.
//!
//! `library` holds the named patterns, those of files and our own (`builtin`); `expand` makes one regular expression of them; `convert` gives captures their
//! type. What becomes of the captures is the parser's affair ([`crate::parse`]).

mod builtin;
mod convert;
mod expand;
mod library;

use fancy_regex::{Regex, RegexBuilder};
use stellar_fns::Value;
use stellar_fns::regex::translate;
use stellar_fns::value::Text;
use thiserror::Error as ThisError;

use crate::message::Message;

use convert::Conversion;
pub use library::Library;

/// Steps of backtracking before a line is given up.
const BACKTRACKING: usize = 1_000_000;
/// Bytes that a compiled pattern may take.
const LARGEST: usize = 32 << 20;
/// Fields that a message usually gets besides the captures.
const ADDED: usize = 12;
/// The name of captures that are not wanted.
const UNWANTED: &str = "UNWANTED";

/// Why a pattern can't be used.
#[derive(Debug, ThisError, Clone, PartialEq, Eq)]
pub enum Error {
    /// A name that nobody defined.
    #[error("no pattern {name}{hint}")]
    NoPattern {
        /// The name.
        name: String,
        /// "did you mean".
        hint: String,
    },
    /// A reference that can't be read.
    #[error("{text:?} is no %{{NAME:field:type}}")]
    BadReference {
        /// The reference.
        text: String,
    },
    /// A type that isn't known.
    #[error("{name} is no type of a capture; int, long, float, double, boolean, string")]
    BadType {
        /// The type.
        name: String,
    },
    /// Patterns that name each other.
    #[error("pattern {name} contains itself, or is nested too deep")]
    TooDeep {
        /// The pattern.
        name: String,
    },
    /// Too much.
    #[error("the pattern has more than {limit} characters when written out")]
    TooLong {
        /// How many it may have.
        limit: usize,
    },
    /// No regular expression.
    #[error("the pattern is no regular expression: {message}")]
    BadRegex {
        /// What is wrong with it.
        message: String,
    },
}

/// The line needs more backtracking than is allowed.
#[derive(Debug, ThisError, Clone, Copy, PartialEq, Eq)]
#[error("the pattern needs more than {BACKTRACKING} backtracking steps on this line")]
pub struct GaveUp;

/// A pattern, written out and compiled.
#[derive(Debug)]
pub struct Grok {
    regex: Regex,
    captures: Vec<Capture>,
}

#[derive(Debug)]
struct Capture {
    group: usize,
    name: Text,
    conversion: Conversion,
}

impl Grok {
    /// The pattern of this name.
    pub fn compile(label: &str, library: &Library) -> Result<Self, Error> {
        let expanded = expand::expand(label, library)?;
        let bad = |message: String| Error::BadRegex { message };
        let translated = translate(&expanded.java).map_err(bad)?;
        let mut builder = RegexBuilder::new(&translated);
        builder.backtrack_limit(BACKTRACKING).delegate_size_limit(LARGEST);
        let regex = builder.build().map_err(|error| bad(error.to_string()))?;
        let groups: Vec<Option<String>> = regex.capture_names().map(|name| name.map(str::to_owned)).collect();
        let mut captures = Vec::with_capacity(expanded.captures.len());
        for capture in expanded.captures {
            let group = groups.iter().position(|group| group.as_deref() == Some(capture.group.as_str()));
            let (name, conversion) = convert::specification(&capture.specification)?;
            captures.extend(group.map(|group| Capture { group, name, conversion }));
        }
        Ok(Self { regex, captures })
    }

    /// The captures of the first place where the pattern matches; none where it doesn't. One that took no part is null.
    pub fn captures(&self, text: &str) -> Result<Option<Message>, GaveUp> {
        let Some(found) = self.regex.captures(text).map_err(|_| GaveUp)? else { return Ok(None) };
        let mut message = Message::with_room(self.captures.len() + ADDED);
        for capture in &self.captures {
            match found.get(capture.group) {
                Some(matched) => message.set(capture.name.clone(), capture.conversion.convert(matched.as_str())),
                None => message.set_if_absent(&capture.name, || Value::Null),
            }
        }
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(patterns: &str, label: &str, text: &str) -> Option<String> {
        let grok = Grok::compile(label, &Library::new([("p", patterns)]).with("p").unwrap()).unwrap();
        let message = grok.captures(text).unwrap()?;
        Some(String::from_utf8(message.to_json()).unwrap())
    }

    #[test]
    fn captures_have_names_and_types() {
        let patterns = "LINE %{WORD:verb} %{NUMBER:n} %{NUMBER:x:double} (%{IP:ip})?%{INT:big} %{QS:said}";
        assert_eq!(
            matched(patterns, "LINE", r#"GET 12 2.5 99999999999 "hi""#).unwrap(),
            r#"{"verb":"GET","n":12,"x":2.5,"ip":null,"big":99999999999,"said":"hi"}"#
        );
        assert_eq!(matched(patterns, "LINE", "nothing"), None);
    }

    #[test]
    fn references_without_a_field_are_captured_under_their_name_and_the_unwanted_are_not() {
        assert_eq!(
            matched("A %{YEAR} %{YEAR:UNWANTED} (?<rest>.*)", "A", "2016 2017 and (more)").unwrap(),
            r#"{"YEAR":2016,"rest":"and (more)"}"#
        );
    }

    #[test]
    fn definitions_can_stand_in_the_reference() {
        assert_eq!(matched("A %{X:x=[ab]+}c%{X:y}", "A", "abcb").unwrap(), r#"{"x":"ab","y":"b"}"#);
    }

    #[test]
    fn what_cannot_be_compiled_says_why() {
        let compile = |patterns: &str| {
            let library = Library::new([("p", patterns)]).with("p").unwrap();
            Grok::compile("A", &library).unwrap_err().to_string()
        };
        assert_eq!(compile("A %{WROD:x}"), "no pattern WROD; did you mean WORD?");
        assert!(compile("A %{A}").contains("contains itself"));
        assert!(compile("A (").contains("no regular expression"));
        assert!(compile("A %{WORD:x:money}").contains("money is no type"));
    }

    #[test]
    fn every_pattern_of_ours_compiles() {
        let library = Library::default();
        for name in library.names() {
            Grok::compile(name, &library).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
