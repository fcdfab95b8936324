//! Files of expressions: what the shell reads, line by line. An expression whose brackets or quotes are open goes on in the next line.

use super::{Expression, Places};
use crate::error::Code;
use crate::lex::{Keyword, Symbol, TokenKind, lex};
use crate::parse::Bounds;

/// `name := expression`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment<'a> {
    /// What is assigned to.
    pub name: &'a str,
    /// The expression, without blanks around it.
    pub expression: &'a str,
    /// Where the expression begins in the statement.
    pub at: usize,
}

/// The parts of a statement that assigns; none of one that doesn't.
pub fn assignment(statement: &str) -> Option<Assignment<'_>> {
    let (name, rest) = statement.split_once(":=")?;
    let name = name.trim();
    if !is_name(name) {
        return None;
    }
    let expression = rest.trim();
    let at = statement.len() - rest.trim_start().len();
    Some(Assignment { name, expression, at })
}

/// Whether a variable can have this name.
pub(crate) fn is_name(name: &str) -> bool {
    let (tokens, errors) = lex(name);
    errors.is_empty()
        && matches!(tokens.as_slice(), [token, _] if matches!(token.kind, TokenKind::Name(_)) && token.span.to == name.len())
}

/// How far the lines of an expression have come. It goes on where a bracket or a quote is open, a conditional has no else, or what is last needs something
/// behind it. Each line is read once, however many there are.
#[derive(Debug, Default)]
struct Progress {
    open: usize,
    conditionals: usize,
    /// Whether what is last needs something behind it.
    unfinished: bool,
    within: Within,
}

/// What the next line begins in.
#[derive(Clone, Copy, Debug, Default)]
enum Within {
    #[default]
    Code,
    /// A text in these quotes.
    Text(char),
    /// A comment: the lexer reads `//` at the end of a line so. Where no line follows those are operators; whether what stands before them needs more.
    Comment { unfinished: bool },
}

impl Progress {
    fn goes_on(&self) -> bool {
        self.open > 0 || self.conditionals > 0 || self.unfinished || matches!(self.within, Within::Text(_))
    }

    fn push(&mut self, line: &str) {
        match std::mem::take(&mut self.within) {
            Within::Code => self.code(line),
            Within::Comment { unfinished } => self.unfinished = unfinished,
            Within::Text(quote) => match end_of_text(line, quote) {
                Some(end) => {
                    self.unfinished = false;
                    self.code(&line[end..]);
                }
                None => self.within = Within::Text(quote),
            },
        }
    }

    fn code(&mut self, line: &str) {
        let (tokens, errors) = lex(line);
        for token in &tokens {
            let before = self.unfinished;
            match token.kind {
                TokenKind::End => break,
                TokenKind::Keyword(Keyword::If) => self.conditionals += 1,
                TokenKind::Keyword(Keyword::Else) => self.conditionals = self.conditionals.saturating_sub(1),
                TokenKind::Symbol(Symbol::Open | Symbol::OpenList | Symbol::OpenMap) => self.open += 1,
                TokenKind::Symbol(Symbol::Close | Symbol::CloseList | Symbol::CloseMap) => {
                    self.open = self.open.saturating_sub(1);
                }
                TokenKind::Symbol(Symbol::Slash) if line[token.span.from..] == *"//" => {
                    self.within = Within::Comment { unfinished: before };
                }
                _ => {}
            }
            self.unfinished = needs_more(&token.kind);
        }
        if let Some(error) = errors.iter().find(|error| error.code == Code::OpenText) {
            self.within = line[error.span.from..].chars().next().map_or(Within::Code, Within::Text);
        }
    }
}

/// Where a text ends that is open at the start of a line.
fn end_of_text(line: &str, quote: char) -> Option<usize> {
    let mut chars = line.char_indices();
    while let Some((index, char)) = chars.next() {
        if char == quote {
            return Some(index + 1);
        }
        if char == '\\' {
            chars.next();
        }
    }
    None
}

fn needs_more(kind: &TokenKind) -> bool {
    match kind {
        TokenKind::Keyword(keyword) => {
            !matches!(keyword, Keyword::True | Keyword::False | Keyword::Null | Keyword::Default)
        }
        TokenKind::Symbol(Symbol::Close | Symbol::CloseList | Symbol::CloseMap) => false,
        TokenKind::Symbol(_) => true,
        _ => false,
    }
}

/// A line that is no expression: a comment, a command of the shell, a question for documentation.
pub(crate) fn is_command(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with(['#', '%', '?']) || matches!(line.trim_end(), "quit" | "exit")
}

/// Takes lines to statements. A blank line ends a statement even where it would go on.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pending: String,
    progress: Progress,
}

impl Lines {
    /// The statement that this line ends, if it ends one.
    pub(crate) fn push(&mut self, line: &str) -> Option<String> {
        if self.pending.is_empty() {
            if line.trim().is_empty() {
                return None;
            }
            if is_command(line) {
                return Some(line.to_owned());
            }
        }
        let blank = line.trim().is_empty();
        if self.pending.is_empty() {
            self.progress = first_line(line);
        } else {
            self.pending.push('\n');
            self.progress.push(line);
        }
        self.pending.push_str(line);
        // What is longer than any expression is one that doesn't end.
        let too_long = self.pending.len() > Bounds::default().length;
        if blank || too_long || !self.progress.goes_on() { self.end() } else { None }
    }

    /// Whether the next line begins a statement.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// What is left when there are no more lines.
    pub(crate) fn end(&mut self) -> Option<String> {
        let statement = std::mem::take(&mut self.pending);
        (!statement.trim().is_empty()).then_some(statement)
    }
}

/// Whether a statement goes on: its expression does.
#[cfg(any(test, feature = "cli"))]
pub(crate) fn statement_goes_on(statement: &str) -> bool {
    let (first, rest) = statement.split_once('\n').map_or((statement, None), |(first, rest)| (first, Some(rest)));
    let mut progress = first_line(first);
    for line in rest.into_iter().flat_map(|rest| rest.split('\n')) {
        progress.push(line);
    }
    progress.goes_on()
}

/// What comes of the first line of a statement, in which the name stands where one is assigned to.
fn first_line(line: &str) -> Progress {
    let mut progress = Progress::default();
    match assignment(line) {
        Some(assignment) => {
            progress.push(&line[assignment.at..]);
            progress.unfinished |= assignment.expression.is_empty();
        }
        None => progress.push(line),
    }
    progress
}

/// The expressions of a file.
pub(super) fn expressions(text: &str) -> Vec<Expression> {
    let mut lines = Lines::default();
    let mut expressions = Vec::new();
    let (mut at, mut begins) = (0, 0);
    for line in text.split_inclusive('\n') {
        if lines.pending.is_empty() {
            begins = at;
        }
        at += line.len();
        if let Some(statement) = lines.push(line.trim_end_matches('\n')) {
            expressions.extend(expression(&statement, begins));
        }
    }
    expressions.extend(lines.end().and_then(|statement| expression(&statement, begins)));
    expressions
}

fn expression(statement: &str, begins: usize) -> Option<Expression> {
    if is_command(statement) {
        return None;
    }
    let (key, from) = assignment(statement).map_or(("", 0), |assignment| (assignment.name, assignment.at));
    Some(Expression { key: key.to_owned(), text: statement[from..].to_owned(), places: Places::Direct(begins + from) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Span;

    #[test]
    fn an_assignment_has_a_name_before_it() {
        let assigned = assignment("  threat:level  :=  1 + 2 ").unwrap();
        assert_eq!((assigned.name, assigned.expression, assigned.at), ("threat:level", "1 + 2", 20));
        for none in ["x == ':='", "1 := 2", "in := 2", "a b := 1", "x", ":= 1", "f(x) := 1"] {
            assert_eq!(assignment(none), None, "{none}");
        }
    }

    #[test]
    fn open_brackets_quotes_and_operators_go_on() {
        for more in
            ["F(1,", "[1", "'a", "1 +", "if a", "if a then", "x ->", "not", "a and", "match{a => 1,", "F('(', ", "x :="]
        {
            assert!(statement_goes_on(more), "{more}");
        }
        for whole in ["", "F(1)", "1 // x +", "'('", "true", "x", ")", "x := 'a'"] {
            assert!(!statement_goes_on(whole), "{whole}");
        }
    }

    /// What [`Progress`] says, by reading all of it at once.
    fn goes_on(source: &str) -> bool {
        let (tokens, errors) = lex(source);
        let (mut open, mut conditionals) = (0_usize, 0_usize);
        for token in &tokens {
            match token.kind {
                TokenKind::Keyword(Keyword::If) => conditionals += 1,
                TokenKind::Keyword(Keyword::Else) => conditionals = conditionals.saturating_sub(1),
                TokenKind::Symbol(Symbol::Open | Symbol::OpenList | Symbol::OpenMap) => open += 1,
                TokenKind::Symbol(Symbol::Close | Symbol::CloseList | Symbol::CloseMap) => {
                    open = open.saturating_sub(1)
                }
                _ => {}
            }
        }
        let last = tokens.iter().rev().nth(1).map(|token| &token.kind);
        let open_text = errors.iter().any(|error| error.code == Code::OpenText);
        open_text || open > 0 || conditionals > 0 || last.is_some_and(needs_more)
    }

    proptest! {
        #[test]
        fn reading_line_by_line_says_what_reading_at_once_does(
            words in proptest::collection::vec(
                prop::sample::select(vec!["(", ")", "'", "\"", "\\", "\n", "//", "/", " ", "x", "if ", "else ", "1", "+", "é"]), 0..24)
        ) {
            let source = words.concat();
            prop_assert_eq!(statement_goes_on(&source), goes_on(&source), "{:?}", source);
        }
    }

    #[test]
    fn a_bracket_that_is_never_closed_ends_where_no_expression_is_that_long() {
        for line in ["1,\n", "(1),\n", "'\\'\n", "x //\n"] {
            let text = format!("[1,\n{}", line.repeat(200_000));
            let statements = expressions(&text);
            assert!(statements[0].text.len() <= Bounds::default().length + line.len());
            assert!(statements.len() > 1, "{line}");
        }
    }

    #[test]
    fn lines_become_statements() {
        let text = "# a comment (\n\nx := F(1,\n  2)\n%vars\n y\n[1\n\nz := (3";
        let expressions = expressions(text);
        let shown: Vec<(&str, &str)> = expressions.iter().map(|one| (one.key.as_str(), one.text.as_str())).collect();
        assert_eq!(shown, [("x", "F(1,\n  2)"), ("", " y"), ("", "[1\n"), ("z", "(3")]);
        assert_eq!(&text[expressions[3].in_file(Span::new(1, 2)).from..], "3");
        assert_eq!(&text[expressions[0].in_file(Span::new(0, 1)).from..][..4], "F(1,");
    }
}
