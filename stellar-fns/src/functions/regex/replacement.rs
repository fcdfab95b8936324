//! What stands in place of a match: text with `$1`, `${name}` and backslash escapes, as Java reads it.

use fancy_regex::{Captures, Regex};

use crate::error::{Fault, shown};

/// A parsed replacement.
pub(super) struct Replacement(Vec<Part>);

enum Part {
    Text(String),
    Group(usize),
}

impl Replacement {
    /// Reads a replacement for matches of a pattern; groups must exist.
    pub(super) fn parse(text: &str, pattern: &Regex) -> Result<Self, Fault> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '\\' => {
                    literal.push(chars.next().ok_or_else(|| Fault::argument("the replacement ends with a backslash"))?)
                }
                '$' => {
                    let group = if chars.next_if_eq(&'{').is_some() {
                        let mut name = String::new();
                        loop {
                            match chars.next() {
                                Some('}') => break,
                                Some(char) => name.push(char),
                                None => return Err(Fault::argument("a brace of the replacement isn't closed")),
                            }
                        }
                        pattern
                            .capture_names()
                            .position(|known| known == Some(name.as_str()))
                            .ok_or_else(|| Fault::argument(format!("no group {}", shown(&name))))?
                    } else {
                        let digit = chars
                            .next()
                            .and_then(|char| char.to_digit(10))
                            .ok_or_else(|| Fault::argument("$ needs the number of a group; for a dollar write \\$"))?;
                        let mut group = digit as usize;
                        if group >= pattern.captures_len() {
                            return Err(Fault::argument(format!("no group {group}")));
                        }
                        // More digits belong to the number as long as there is such a group.
                        while let Some(digit) = chars.peek().and_then(|char| char.to_digit(10)) {
                            let longer = group * 10 + digit as usize;
                            if longer >= pattern.captures_len() {
                                break;
                            }
                            group = longer;
                            chars.next();
                        }
                        group
                    };
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                    parts.push(Part::Group(group));
                }
                char => literal.push(char),
            }
        }
        parts.push(Part::Text(literal));
        Ok(Self(parts))
    }

    /// Writes it for one match; a group that matched nothing is empty.
    pub(super) fn append(&self, captures: &Captures<'_, str>, out: &mut String) {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(group) => out.push_str(captures.get(*group).map_or("", |group| group.as_str())),
            }
        }
    }
}
