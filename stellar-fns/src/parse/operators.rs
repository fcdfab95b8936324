//! The levels of the grammar from whole expressions down to products.

use super::{Failed, Form, Parsed, Parser, Piece};
use crate::ast::{Comparator, Connective, Expr, ExprKind};
use crate::error::{Code, Error};
use crate::lex::{Keyword, Symbol, TokenKind};
use crate::value::Operator;

impl Parser<'_> {
    /// Any expression.
    pub(super) fn expression(&mut self) -> Parsed<Piece> {
        self.nested(|parser| {
            if parser.cursor.at_keyword(Keyword::Match) {
                return parser.match_expression();
            }
            parser.conditional_or_logic()
        })
    }

    /// A conditional or anything tighter. Conditionals in the last branch become arms of this one, so that chains don't nest.
    pub(super) fn conditional_or_logic(&mut self) -> Parsed<Piece> {
        let start = self.cursor.span();
        let mut arms = Vec::new();
        loop {
            if self.cursor.take_keyword(Keyword::If) {
                let condition = self.condition()?;
                self.reach(&TokenKind::Keyword(Keyword::Then))?;
                let branch = self.or_placeholder(Self::expression).expr;
                self.reach(&TokenKind::Keyword(Keyword::Else))?;
                arms.push((condition, branch));
            } else if !arms.is_empty() && self.cursor.at_keyword(Keyword::Match) {
                let otherwise = self.expression()?;
                return Ok(conditional(start, arms, otherwise));
            } else {
                let piece = self.logic()?;
                if !self.cursor.at_symbol(Symbol::Question) {
                    return Ok(if arms.is_empty() { piece } else { conditional(start, arms, piece) });
                }
                let condition = self.require(piece, Form::Logic, "as a condition").expr;
                self.cursor.advance();
                let branch = self.or_placeholder(Self::expression).expr;
                self.reach(&TokenKind::Symbol(Symbol::Colon))?;
                arms.push((condition, branch));
            }
        }
    }

    fn condition(&mut self) -> Parsed<Expr> {
        let piece = self.logic()?;
        Ok(self.require(piece, Form::Logic, "as a condition").expr)
    }

    /// One side of `and` and `or`. Behind an error it goes on where this side ends.
    fn side(&mut self) -> Piece {
        self.or_placeholder(|parser| {
            let piece = parser.membership();
            if piece.is_err() {
                parser.cursor.skip_until(TokenKind::ends_side);
            }
            piece
        })
    }

    /// `and` and `or`, one level, flat.
    pub(super) fn logic(&mut self) -> Parsed<Piece> {
        let first = self.side();
        let mut rest = Vec::new();
        loop {
            let connective = match self.cursor.kind() {
                TokenKind::Keyword(Keyword::And) | TokenKind::Symbol(Symbol::AndAnd) => Connective::And,
                TokenKind::Keyword(Keyword::Or) | TokenKind::Symbol(Symbol::OrOr) => Connective::Or,
                _ => break,
            };
            self.cursor.advance();
            let piece = self.side();
            rest.push((connective, self.require(piece, Form::Membership, "beside and or or").expr));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let first = self.require(first, Form::Membership, "beside and or or").expr;
        let span = first.span.to(self.cursor.previous_span());
        Ok(Piece { expr: Expr::new(ExprKind::Logic { first: Box::new(first), rest }, span), form: Form::Logic })
    }

    /// `in` and `not in`: the left side is an operand, the right side takes everything of this level and tighter.
    fn membership(&mut self) -> Parsed<Piece> {
        let key = self.comparison()?;
        let negated = match self.cursor.kind() {
            TokenKind::Keyword(Keyword::In) => false,
            TokenKind::Keyword(Keyword::NotIn) => true,
            _ => return Ok(key),
        };
        let key = self.require(key, Form::Operand, "left of in").expr;
        self.cursor.advance();
        let container = self.nested(Self::membership)?;
        let container = self.require(container, Form::Membership, "right of in").expr;
        let span = key.span.to(container.span);
        let kind = ExprKind::In { key: Box::new(key), container: Box::new(container), negated };
        Ok(Piece { expr: Expr::new(kind, span), form: Form::Membership })
    }

    /// Comparison operators, one level, from the left.
    pub(super) fn comparison(&mut self) -> Parsed<Piece> {
        let first = self.compared()?;
        let mut rest = Vec::new();
        while let Some(comparator) = comparator(self.cursor.kind()) {
            self.cursor.advance();
            let piece = self.compared()?;
            rest.push((comparator, self.require(piece, Form::Comparison, "in a comparison").expr));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let first = self.require(first, Form::Comparison, "in a comparison").expr;
        let span = first.span.to(self.cursor.previous_span());
        Ok(Piece {
            expr: Expr::new(ExprKind::Comparison { first: Box::new(first), rest }, span),
            form: Form::Comparison,
        })
    }

    /// One side of a comparison: `not(…)` or arithmetic or an operand.
    fn compared(&mut self) -> Parsed<Piece> {
        if !self.cursor.at_keyword(Keyword::Not) {
            return self.sum();
        }
        let start = self.cursor.span();
        self.cursor.advance();
        let open = self.cursor.span();
        if !self.cursor.take_symbol(Symbol::Open) {
            return self.unexpected("\"(\" after not");
        }
        let inner = self.or_placeholder(|parser| parser.nested(Self::logic));
        let inner = self.require(inner, Form::Logic, "in not(…)").expr;
        self.close(Symbol::Close, "\")\"", open);
        let span = start.to(self.cursor.previous_span());
        Ok(Piece { expr: Expr::new(ExprKind::Not(Box::new(inner)), span), form: Form::Comparison })
    }

    fn sum(&mut self) -> Parsed<Piece> {
        let operator = |kind: &TokenKind| match kind {
            TokenKind::Symbol(Symbol::Plus) => Some(Operator::Add),
            TokenKind::Symbol(Symbol::Minus) => Some(Operator::Subtract),
            _ => None,
        };
        self.chain(operator, Self::quotient)
    }

    fn quotient(&mut self) -> Parsed<Piece> {
        let operator = |kind: &TokenKind| (kind == &TokenKind::Symbol(Symbol::Slash)).then_some(Operator::Divide);
        self.chain(operator, Self::product)
    }

    fn product(&mut self) -> Parsed<Piece> {
        let operator = |kind: &TokenKind| (kind == &TokenKind::Symbol(Symbol::Times)).then_some(Operator::Multiply);
        self.chain(operator, Self::primary)
    }

    /// Operators of one level of arithmetic between pieces of the next, from the left.
    fn chain(
        &mut self,
        operator: impl Fn(&TokenKind) -> Option<Operator>,
        next: fn(&mut Self) -> Parsed<Piece>,
    ) -> Parsed<Piece> {
        let first = next(self)?;
        let mut rest = Vec::new();
        while let Some(operator) = operator(self.cursor.kind()) {
            self.cursor.advance();
            let piece = next(self)?;
            rest.push((operator, self.require(piece, Form::Arithmetic, "in arithmetic").expr));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let first = self.require(first, Form::Arithmetic, "in arithmetic").expr;
        let span = first.span.to(self.cursor.previous_span());
        Ok(Piece {
            expr: Expr::new(ExprKind::Arithmetic { first: Box::new(first), rest }, span),
            form: Form::Arithmetic,
        })
    }

    fn match_expression(&mut self) -> Parsed<Piece> {
        let start = self.cursor.span();
        self.cursor.advance();
        let open = self.cursor.span();
        if !self.cursor.take_symbol(Symbol::OpenMap) {
            return self.unexpected("\"{\" after match");
        }
        let errors = self.errors.len();
        let mut clauses = Vec::new();
        let mut default = None;
        for (check, action) in self.separated(Symbol::CloseMap, open, Self::match_clause) {
            match (check, &default) {
                (_, Some(_)) => {
                    self.misplaced_clause("a clause behind default is never reached; default is the last", &action)
                }
                (Some(check), None) => clauses.push((check, action)),
                (None, None) => default = Some(action),
            }
        }
        let span = start.to(self.cursor.previous_span());
        if default.is_none() && self.errors.len() == errors {
            let message = "expected \",\" and a clause; the last is default => …";
            self.record(Error::new(Code::Unexpected, message, self.cursor.previous_span()));
        }
        let default = Box::new(default.ok_or(Failed)?);
        if clauses.is_empty() && self.errors.len() == errors {
            self.misplaced_clause("expected a clause before default", &default);
        }
        Ok(Piece { expr: Expr::new(ExprKind::Match { clauses, default }, span), form: Form::Whole })
    }

    fn misplaced_clause(&mut self, message: &str, action: &Expr) {
        self.record(Error::new(Code::Unexpected, message, action.span));
    }

    /// A clause; without a check it is the default.
    fn match_clause(&mut self) -> Parsed<(Option<Expr>, Expr)> {
        let check = if self.cursor.take_keyword(Keyword::Default) {
            None
        } else {
            let piece = self.conditional_or_logic()?;
            Some(self.require(piece, Form::Conditional, "as a check").expr)
        };
        self.reach(&TokenKind::Symbol(Symbol::FatArrow))?;
        let action = self.expression()?;
        let place = "as the action of a match; put it into a lambda or a conditional";
        Ok((check, self.require(action, Form::Conditional, place).expr))
    }

    /// Takes this token. Where it lacks, goes on behind the next one of its kind, if there is one.
    pub(super) fn reach(&mut self, wanted: &TokenKind) -> Parsed<()> {
        if self.cursor.kind() != wanted {
            self.expected(&wanted.describe());
            self.cursor.skip_until(|kind| kind == wanted);
        }
        if self.cursor.kind() != wanted {
            return Err(Failed);
        }
        self.cursor.advance();
        Ok(())
    }
}

fn conditional(start: crate::error::Span, arms: Vec<(Expr, Expr)>, otherwise: Piece) -> Piece {
    let span = start.to(otherwise.expr.span);
    let kind = ExprKind::Conditional { arms, otherwise: Box::new(otherwise.expr) };
    Piece { expr: Expr::new(kind, span), form: Form::Conditional }
}

fn comparator(kind: &TokenKind) -> Option<Comparator> {
    let TokenKind::Symbol(symbol) = kind else { return None };
    Some(match symbol {
        Symbol::Equal => Comparator::Equal,
        Symbol::NotEqual => Comparator::NotEqual,
        Symbol::Less => Comparator::Less,
        Symbol::LessEqual => Comparator::LessEqual,
        Symbol::Greater => Comparator::Greater,
        Symbol::GreaterEqual => Comparator::GreaterEqual,
        _ => return None,
    })
}
