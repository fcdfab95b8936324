//! Tokens to tree, by recursive descent along the levels of the grammar.
//!
//! The grammar is that of the original, oddities included: `and` and `or` share a level and associate to the right, `*` binds tighter than `/`, the right side
//! of `in` takes a whole comparison, and each place admits only certain forms ([`Form`]). One reading finds all errors: behind an error the parser goes on at
//! the next `and`, `or`, `then`, `else`, comma or closing bracket, and what only follows from an error before it (same place, or right behind characters that
//! are no tokens) is not said again.

mod cursor;
mod forms;
mod operators;
mod primary;

pub(crate) use forms::Form;

use crate::ast::{Expr, ExprKind};
use crate::error::{Code, Error, Errors, Span};
use crate::lex::{Symbol, TokenKind, lex};
use crate::value::Value;

use cursor::Cursor;

/// How long and how deeply nested an expression may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of an expression; 65,536.
    pub length: usize,
    /// Levels of nesting of an expression; 64.
    pub depth: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { length: 65_536, depth: 64 }
    }
}

/// The tree of an expression; none for one that is blank.
pub(crate) fn parse(source: &str, bounds: Bounds) -> Result<Option<Expr>, Errors> {
    if source.trim().is_empty() {
        return Ok(None);
    }
    if source.len() > bounds.length {
        let message = format!("the expression has {} bytes; the limit is {}", source.len(), bounds.length);
        return Err(Errors(vec![Error::new(Code::TooLong, message, Span::new(0, source.len()))]));
    }
    let (tokens, mut errors) = lex(source);
    let mut parser = Parser { source, cursor: Cursor::new(tokens), errors: Vec::new(), depth: bounds.depth };
    let tree = parser.whole();
    let follows_bad_characters = |span: Span, before: usize| {
        errors.iter().any(|bad| bad.code != Code::NumberRange && bad.span.from >= before && bad.span.to <= span.from)
    };
    let own: Vec<Error> = parser
        .errors
        .into_iter()
        .filter(|error| !follows_bad_characters(error.span, parser.cursor.end_before(error.span)))
        .collect();
    errors.extend(own);
    if errors.is_empty() {
        return Ok(Some(tree));
    }
    errors.sort_by_key(|error| error.span.from);
    errors.truncate(MOST_ERRORS);
    Err(Errors(errors))
}

/// Who wrote an expression mends the first errors first.
const MOST_ERRORS: usize = 100;

/// An error is on record; the caller goes on at a place from which it can.
struct Failed;

type Parsed<T> = Result<T, Failed>;

/// An expression and the form it was written in.
struct Piece {
    expr: Expr,
    form: Form,
}

struct Parser<'a> {
    source: &'a str,
    cursor: Cursor,
    errors: Vec<Error>,
    /// How many levels of nesting are left.
    depth: usize,
}

impl Parser<'_> {
    fn whole(&mut self) -> Expr {
        loop {
            let piece = self.or_placeholder(Self::expression);
            if self.cursor.kind() == &TokenKind::End {
                return piece.expr;
            }
            if self.cursor.at_closing() {
                let message = format!("{} closes nothing that is open", self.cursor.kind().describe());
                self.record(Error::new(Code::Unexpected, message, self.cursor.span()));
            } else {
                self.expected("an operator or the end");
            }
            // What comes behind the next operator can be read again.
            loop {
                self.cursor.skip_until(TokenKind::is_operator);
                if self.cursor.kind() == &TokenKind::End {
                    return piece.expr;
                }
                let operator = self.cursor.kind().is_operator();
                self.cursor.advance();
                if operator {
                    break;
                }
            }
        }
    }

    /// Runs `inner` one level deeper.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let Some(depth) = self.depth.checked_sub(1) else {
            return self.fail(Code::TooDeep, "nested too deep here; take the expression apart", self.cursor.span());
        };
        let outer = std::mem::replace(&mut self.depth, depth);
        let result = inner(self);
        self.depth = outer;
        result
    }

    /// What `inner` reads, or something that fits everywhere, since its error is on record.
    fn or_placeholder(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<Piece>) -> Piece {
        let span = self.cursor.span();
        inner(self).unwrap_or_else(|Failed| Piece {
            expr: Expr::new(ExprKind::Literal(Value::Null), span),
            form: Form::Arithmetic,
        })
    }

    /// Keeps an error, unless one at the same place was the last: it led to this one.
    fn record(&mut self, error: Error) {
        let follows = self.errors.last().is_some_and(|last| last.span.from == error.span.from);
        if !follows && self.errors.len() < 10 * MOST_ERRORS {
            self.errors.push(error);
        }
    }

    fn fail<T>(&mut self, code: Code, message: impl Into<String>, span: Span) -> Parsed<T> {
        self.record(Error::new(code, message, span));
        Err(Failed)
    }

    fn expected(&mut self, expected: &str) {
        let token = self.cursor.token();
        let (found, span) = (token.kind.describe(), token.span);
        let hint = self.hint_for_unexpected();
        let error = Error::new(Code::Unexpected, format!("expected {expected}, found {found}"), span);
        self.record(error.hint(hint));
    }

    fn unexpected<T>(&mut self, expected: &str) -> Parsed<T> {
        self.expected(expected);
        Err(Failed)
    }

    /// What people most often mean when two operands meet.
    fn hint_for_unexpected(&self) -> Option<String> {
        match self.cursor.kind() {
            TokenKind::Number(number) if number.to_string().starts_with('-') => Some(format!(
                "a sign belongs to its number; to subtract, write - {}",
                number.to_string().trim_start_matches('-')
            )),
            TokenKind::Name(name) => hint_for_name(name),
            TokenKind::Text(_) if self.cursor.previous_is(&TokenKind::Symbol(Symbol::Plus)) => {
                Some("texts are joined by JOIN([a, b], '')".to_owned())
            }
            TokenKind::Symbol(Symbol::OpenList) => {
                Some("an item of a list is GET(list, index), of a map MAP_GET(key, map)".to_owned())
            }
            _ => None,
        }
    }

    /// Refuses a piece that isn't written in one of the forms that its place admits. Reading goes on as if it were.
    fn require(&mut self, piece: Piece, widest: Form, place: &str) -> Piece {
        if piece.form > widest {
            let message = format!("{} can't stand {place}", piece.form.describe());
            let parentheses = piece.form < Form::Whole && widest > Form::Arithmetic;
            let hint = match piece.expr.kind {
                ExprKind::Literal(Value::Text(_)) if widest == Form::Arithmetic => {
                    Some("texts are joined by JOIN([a, b], '')".to_owned())
                }
                _ => parentheses.then(|| "put it in parentheses".to_owned()),
            };
            self.record(Error::new(Code::Misplaced, message, piece.expr.span).hint(hint));
        }
        piece
    }
}

fn hint_for_name(name: &str) -> Option<String> {
    const WORDS: [&str; 9] = ["and", "or", "not", "in", "if", "then", "else", "match", "default"];
    let lower = name.to_lowercase();
    if WORDS.contains(&lower.as_str()) {
        return Some(format!("keywords are all lower or all upper case: {lower}"));
    }
    let near =
        WORDS.into_iter().filter(|word| word.len() > 2).find(|word| strsim::damerau_levenshtein(word, &lower) == 1)?;
    Some(format!("did you mean {near}?"))
}

#[cfg(test)]
mod tests;
