//! Tokens to tree, by recursive descent along the levels of the grammar.
//!
//! The grammar is that of the original, oddities included: `and` and `or` share a level and associate to the right, `*` binds tighter than `/`, the right side
//! of `in` takes a whole comparison, and each place admits only certain forms ([`Form`]). After an error inside brackets the parser goes on behind the
//! next comma, so that one reading finds them all.

mod cursor;
mod forms;
mod operators;
mod primary;

pub(crate) use forms::Form;

use crate::ast::Expr;
use crate::error::{Code, Error, Errors, Span};
use crate::lex::{TokenKind, lex};

use cursor::Cursor;

/// How long and how deeply nested an expression may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub length: usize,
    pub depth: usize,
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
    let (tokens, errors) = lex(source);
    let mut parser = Parser { cursor: Cursor::new(tokens), errors, depth: bounds.depth };
    let tree = parser.whole();
    if let (Ok(tree), true) = (tree, parser.errors.is_empty()) {
        return Ok(Some(tree));
    }
    parser.errors.sort_by_key(|error| error.span.from);
    Err(Errors(parser.errors))
}

/// An error was recorded; the caller gives up or goes on behind the next comma.
struct Failed;

type Parsed<T> = Result<T, Failed>;

/// An expression and the form it was written in.
struct Piece {
    expr: Expr,
    form: Form,
}

struct Parser {
    cursor: Cursor,
    errors: Vec<Error>,
    /// How many levels of nesting are left.
    depth: usize,
}

impl Parser {
    fn whole(&mut self) -> Parsed<Expr> {
        let piece = self.expression()?;
        if self.cursor.kind() != &TokenKind::End {
            return self.unexpected("an operator or the end");
        }
        Ok(piece.expr)
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

    fn fail<T>(&mut self, code: Code, message: impl Into<String>, span: Span) -> Parsed<T> {
        self.errors.push(Error::new(code, message, span));
        Err(Failed)
    }

    fn unexpected<T>(&mut self, expected: &str) -> Parsed<T> {
        let token = self.cursor.token();
        let (found, span) = (token.kind.describe(), token.span);
        let hint = self.hint_for_unexpected();
        let error = Error::new(Code::Unexpected, format!("expected {expected}, found {found}"), span);
        self.errors.push(error.hint(hint));
        Err(Failed)
    }

    /// What people most often mean when two operands meet.
    fn hint_for_unexpected(&self) -> Option<String> {
        match self.cursor.kind() {
            TokenKind::Number(number) if number.to_string().starts_with('-') => Some(format!(
                "a sign belongs to its number; to subtract, write - {}",
                number.to_string().trim_start_matches('-')
            )),
            TokenKind::Name(name) if ["AND", "OR", "NOT", "IN"].iter().any(|word| name.eq_ignore_ascii_case(word)) => {
                Some(format!("keywords are all lower or all upper case: {}", name.to_lowercase()))
            }
            _ => None,
        }
    }

    /// Refuses a piece that isn't written in one of the forms that its place admits.
    fn require(&mut self, piece: Piece, widest: Form, place: &str) -> Parsed<Piece> {
        if piece.form <= widest {
            return Ok(piece);
        }
        let message = format!("{} can't stand {place}", piece.form.describe());
        let hint = (piece.form < Form::Whole && widest > Form::Arithmetic).then(|| "put it in parentheses".to_owned());
        self.errors.push(Error::new(Code::Misplaced, message, piece.expr.span).hint(hint));
        Err(Failed)
    }
}

#[cfg(test)]
mod tests;
