//! One regular expression of a pattern and all it refers to.
//!
//! Only what is captured becomes a capturing group: each costs time on every line.

use std::collections::BTreeMap;

use super::{Error, Library, UNWANTED};

/// How deep patterns may be nested.
const DEEPEST: usize = 48;
/// How long an expression may become.
const LONGEST: usize = 200_000;

/// A regular expression in Java's notation, and what its groups are.
pub(super) struct Expanded {
    pub(super) java: String,
    pub(super) captures: Vec<Named>,
}

/// A group and what it captures: `field` or `field:type`.
pub(super) struct Named {
    pub(super) group: String,
    pub(super) specification: String,
}

/// The pattern of this name, written out. The whole is no capture of its own.
pub(super) fn expand(label: &str, library: &Library) -> Result<Expanded, Error> {
    let mut expansion = Expansion { library, definitions: BTreeMap::new(), out: String::new(), captures: Vec::new() };
    expansion.pattern(label, 0)?;
    let java = if is_plain(&expansion.out) { without_groups(&expansion.out) } else { expansion.out };
    Ok(Expanded { java, captures: expansion.captures })
}

struct Expansion<'a> {
    library: &'a Library,
    /// Patterns defined where they are used.
    definitions: BTreeMap<String, String>,
    out: String,
    captures: Vec<Named>,
}

impl Expansion<'_> {
    fn pattern(&mut self, name: &str, depth: usize) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(Error::TooDeep { name: name.to_owned() });
        }
        let library = self.library;
        let pattern = match self.definitions.get(name) {
            Some(pattern) => pattern.clone(),
            None => library.get(name).map(str::to_owned).ok_or_else(|| Error::NoPattern {
                name: name.to_owned(),
                hint: maas_cli::suggest::hint(name, library.names()),
            })?,
        };
        self.text(&pattern, depth)
    }

    fn text(&mut self, mut rest: &str, depth: usize) -> Result<(), Error> {
        while let Some(at) = rest.find("%{") {
            self.literal(&rest[..at]);
            let bad = || Error::BadReference { text: rest[at..].chars().take(40).collect() };
            let inner = &rest[at + 2..];
            let end = closing(inner).ok_or_else(bad)?;
            self.reference(&inner[..end], depth).map_err(|error| match error {
                Error::BadReference { .. } => bad(),
                error => error,
            })?;
            rest = &inner[end + 1..];
            if self.out.len() > LONGEST {
                return Err(Error::TooLong { limit: LONGEST });
            }
        }
        self.literal(rest);
        Ok(())
    }

    /// `NAME`, `NAME:field`, `NAME:field:type`, each with `=definition` or without.
    fn reference(&mut self, text: &str, depth: usize) -> Result<(), Error> {
        let (reference, definition) = text.split_once('=').map_or((text, None), |(name, is)| (name, Some(is)));
        let (name, field) = reference.split_once(':').map_or((reference, None), |(name, field)| (name, Some(field)));
        let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
        if name.is_empty() || !name.chars().all(is_name) || field.is_some_and(str::is_empty) {
            return Err(Error::BadReference { text: text.to_owned() });
        }
        if let Some(definition) = definition {
            self.definitions.insert(name.to_owned(), definition.to_owned());
        }
        let specification = field.unwrap_or(name);
        if specification == UNWANTED {
            self.out.push_str("(?:");
        } else {
            self.open(specification.to_owned());
        }
        self.pattern(name, depth + 1)?;
        self.out.push(')');
        Ok(())
    }

    /// Opens a group that is captured. Fields may have characters that no group's name may have.
    fn open(&mut self, specification: String) {
        let group = format!("g{}", self.captures.len());
        self.out.push_str(&format!("(?<{group}>"));
        self.captures.push(Named { group, specification });
    }

    /// Copies a piece of a pattern; its own named groups are captured too.
    fn literal(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find("(?<") {
            let escaped = rest[..at].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
            let name = &rest[at + 3..];
            let end = name.find('>').filter(|_| name.starts_with(|first: char| first.is_ascii_alphabetic()));
            self.out.push_str(&rest[..at]);
            match end.filter(|_| !escaped) {
                Some(end) => {
                    self.open(name[..end].to_owned());
                    rest = &name[end + 1..];
                }
                None => {
                    self.out.push_str("(?<");
                    rest = name;
                }
            }
        }
        self.out.push_str(rest);
    }
}

/// Where the reference ends: braces of a definition may be nested.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' if open == 0 => return Some(at),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}

/// Whether no group is referred to by number and nothing is quoted.
fn is_plain(java: &str) -> bool {
    let mut bytes = java.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' && matches!(bytes.next(), Some(b'1'..=b'9' | b'k' | b'Q')) {
            return false;
        }
    }
    true
}

/// Makes groups without a name not capture.
fn without_groups(java: &str) -> String {
    let mut out = String::with_capacity(java.len() + 64);
    let mut chars = java.chars().peekable();
    let mut classes = 0_usize;
    while let Some(char) = chars.next() {
        out.push(char);
        match char {
            '\\' => out.extend(chars.next()),
            '[' => {
                classes += 1;
                // A bracket that opens a class may be followed by one that is meant as it stands.
                if chars.peek() == Some(&'^') {
                    out.extend(chars.next());
                }
                if chars.peek() == Some(&']') {
                    out.extend(chars.next());
                }
            }
            ']' => classes = classes.saturating_sub(1),
            '(' if classes == 0 && chars.peek() != Some(&'?') => out.push_str("?:"),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_groups_capture() {
        assert_eq!(without_groups(r"(a|[(\]]\()(?<x>b)(?=c)"), r"(?:a|[(\]]\()(?<x>b)(?=c)");
        assert!(!is_plain(r"(a)\1") && is_plain(r"(a)\\1"));
    }
}
