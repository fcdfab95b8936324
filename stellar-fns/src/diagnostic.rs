//! Errors drawn for people: the line, a mark under the place, the hint.
//!
//! What is drawn is safe for a terminal, message and hint too, which quote the expression: control characters, and those that turn the direction of what follows, come
//! out as blanks or `\u{fffd}`.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use crate::error::{Error, Span};

/// Columns of a line that are shown; of a longer one the part around the place.
const WIDEST: usize = 120;
/// Columns shown before the place where a line is cut.
const BEFORE: usize = 40;

/// The error with its line of `source` and a mark under the place:
///
/// ```text
/// error 201: no function TO_UPER
///   | TO_UPER(name)
///   | ^^^^^^^
///   = did you mean TO_UPPER?
/// ```
pub fn render(source: &str, error: &Error) -> String {
    let mut out = format!("error {}: {}\n", error.code.number(), safe(&error.message));
    let place = locate(source, error.span);
    if source.lines().count() > 1 {
        let _ = writeln!(out, "  at line {}, column {}", place.line, place.column);
    }
    draw(&mut out, &place, error.hint.as_deref());
    out
}

/// The marked line and the hint, without the message.
pub fn draw(out: &mut String, place: &Place, hint: Option<&str>) {
    let _ = writeln!(out, "  | {}", place.text);
    let _ = writeln!(out, "  | {}{}", " ".repeat(place.indent), "^".repeat(place.width));
    if let Some(hint) = hint {
        let _ = writeln!(out, "  = {}", safe(hint));
    }
}

/// A place as people count, and how it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line's number, from 1.
    pub line: usize,
    /// The first character's number in its line, from 1.
    pub column: usize,
    /// The line, or what is shown of a long one; tabs and other control characters as something that takes one column.
    pub text: String,
    /// Columns of a terminal before the place.
    pub indent: usize,
    /// Columns of a terminal that the place takes, at least one.
    pub width: usize,
}

/// Where in `source` a span lies. A span that ends in a later line is cut at the end of its first.
pub fn locate(source: &str, span: Span) -> Place {
    let from = floor(source, span.from);
    let to = floor(source, span.to.max(from));
    let start = source[..from].rfind('\n').map_or(0, |index| index + 1);
    let end = source[start..].find('\n').map_or(source.len(), |index| start + index);
    let mut place = Place {
        line: source[..start].matches('\n').count() + 1,
        column: source[start..from].chars().count() + 1,
        text: String::new(),
        indent: 0,
        width: 0,
    };
    let first = if columns(&source[start..end]) <= WIDEST { start } else { back(source, start, from) };
    if first > start {
        place.text.push('…');
        place.indent = 1;
    }
    let mut used = place.indent;
    for (index, char) in source[first..end].char_indices() {
        let (char, width) = shown(char);
        if used + width > WIDEST {
            place.text.push('…');
            break;
        }
        used += width;
        place.text.push(char);
        match first + index {
            at if at < from => place.indent += width,
            at if at < to => place.width += width,
            _ => {}
        }
    }
    place.text.truncate(place.text.trim_end().len());
    place.width = place.width.max(1);
    place
}

/// The text on one line, without what a terminal would obey.
pub fn safe(text: &str) -> String {
    text.chars().map(|char| if char == '\n' { ' ' } else { shown(char).0 }).collect()
}

/// Whether this turns the direction of what follows (Unicode's bidi controls): text would be read as something else than it says.
fn turns_direction(char: char) -> bool {
    matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether nobody sees it: a mark under the place would be one under its neighbour.
fn has_no_form(char: char) -> bool {
    matches!(char, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// A character as it is shown, and the columns that it takes.
fn shown(char: char) -> (char, usize) {
    match char {
        '\t' | '\r' | '\x0c' => (' ', 1),
        _ if char.is_control() || turns_direction(char) || has_no_form(char) => ('\u{fffd}', 1),
        _ => char.width().map_or(('\u{fffd}', 1), |width| (char, width)),
    }
}

fn columns(text: &str) -> usize {
    text.chars().map(|char| shown(char).1).sum()
}

/// So many columns before `from`, but not before `start`.
fn back(source: &str, start: usize, from: usize) -> usize {
    source[start..from].char_indices().rev().nth(BEFORE - 1).map_or(start, |(index, _)| start + index)
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

    #[test]
    fn wide_characters_take_two_columns_and_tabs_one() {
        let source = "'日本'\t== F('語')";
        let place = locate(source, Span::new(source.find("'語").unwrap(), source.len() - 1));
        assert_eq!((place.column, place.indent, place.width), (11, 12, 4));
        assert_eq!(place.text, "'日本' == F('語')");
    }

    #[test]
    fn a_mark_ends_with_its_line() {
        let place = locate("F(1,\n  2)", Span::new(0, 9));
        assert_eq!((place.line, place.text.as_str(), place.width), (1, "F(1,", 4));
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let source = format!("{}!{}", "a + ".repeat(1_000), " b".repeat(1_000));
        let place = locate(&source, Span::new(4_000, 4_001));
        assert_eq!(place.column, 4_001);
        assert_eq!(place.text.chars().nth(place.indent), Some('!'));
        assert!(place.text.starts_with('…') && place.text.ends_with('…') && columns(&place.text) <= WIDEST + 1);
    }

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        assert_eq!(locate("'\x1b[31m'", Span::new(0, 1)).text, "'\u{fffd}[31m'");
        let place = locate("a\0\u{feff}b", Span::new(1, 2));
        assert_eq!((place.text.as_str(), place.indent, place.width), ("a\u{fffd}\u{fffd}b", 1, 1));
        let mut error = Error::new(Code::BadCharacter, "no \x1b]0;x\x07 \u{202e}here\n", Span::new(0, 1));
        error.hint = Some("use \x1b[2J \u{2066}that".into());
        let drawn = render("'\u{202e}'", &error);
        assert!(!drawn.contains(['\x1b', '\x07', '\u{202e}', '\u{2066}']), "{drawn:?}");
        assert_eq!(drawn.lines().count(), 4, "{drawn:?}");
    }
}
