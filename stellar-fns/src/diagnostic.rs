//! Errors drawn for people: the line, a mark under the place, the hint.

use std::fmt::Write;

use crate::error::{Error, Span};

/// The error with its line of `source` and a mark under the place:
///
/// ```text
/// error 201: no function TO_UPER
///   | TO_UPER(name)
///   | ^^^^^^^
///   = did you mean TO_UPPER?
/// ```
pub fn render(source: &str, error: &Error) -> String {
    let mut out = format!("error {}: {}\n", error.code.number(), error.message);
    let place = locate(source, error.span);
    if source.lines().count() > 1 {
        let _ = writeln!(out, "  at line {}, column {}", place.line, place.column);
    }
    let _ = writeln!(out, "  | {}", place.text);
    let _ = writeln!(out, "  | {}{}", " ".repeat(place.column - 1), "^".repeat(place.width));
    if let Some(hint) = &error.hint {
        let _ = writeln!(out, "  = {hint}");
    }
    out
}

/// A place as people count: lines and columns from 1.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// The line's number.
    pub line: usize,
    /// The first character's number in its line.
    pub column: usize,
    /// How many characters of the line are meant, at least one.
    pub width: usize,
    /// The line itself, tabs as spaces.
    pub text: String,
}

/// Where in `source` a span lies. A span that ends in a later line is cut at the end of its first.
pub fn locate(source: &str, span: Span) -> Place {
    let from = floor(source, span.from);
    let to = floor(source, span.to.max(from));
    let start = source[..from].rfind('\n').map_or(0, |index| index + 1);
    let end = source[start..].find('\n').map_or(source.len(), |index| start + index);
    let width = source[from..to.min(end).max(from)].chars().count().max(1);
    Place {
        line: source[..start].matches('\n').count() + 1,
        column: source[start..from].chars().count() + 1,
        width,
        text: source[start..end].replace(['\t', '\r'], " "),
    }
}

fn floor(source: &str, index: usize) -> usize {
    let index = index.min(source.len());
    (0..=index).rev().find(|&index| source.is_char_boundary(index)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn the_place_is_marked_in_its_own_line() {
        let source = "1 +\n  é + ;";
        let error = Error::new(Code::BadCharacter, "character ';' starts nothing", Span::new(11, 12));
        assert_eq!(
            render(source, &error),
            "error 100: character ';' starts nothing\n  at line 2, column 7\n  |   é + ;\n  |       ^\n"
        );
    }

    #[test]
    fn a_place_past_the_end_is_the_end() {
        assert_eq!(locate("ab", Span::new(9, 12)).column, 3);
    }
}
