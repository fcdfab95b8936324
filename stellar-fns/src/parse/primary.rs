//! What has no operator at its top: literals, names, calls, lists, maps, lambdas, parentheses.

use super::{Failed, Form, Parsed, Parser, Piece};
use crate::ast::{Expr, ExprKind};
use crate::lex::{Keyword, Symbol, TokenKind};
use crate::value::{Text, Value};

impl Parser {
    pub(super) fn primary(&mut self) -> Parsed<Piece> {
        let span = self.cursor.span();
        let (kind, form) = match self.cursor.kind().clone() {
            TokenKind::Number(number) => {
                self.cursor.advance();
                (ExprKind::Literal(number), Form::Arithmetic)
            }
            TokenKind::Text(text) => {
                self.cursor.advance();
                (ExprKind::Literal(Value::Text(text)), Form::Operand)
            }
            TokenKind::Keyword(Keyword::True) => self.literal(Value::Bool(true)),
            TokenKind::Keyword(Keyword::False) => self.literal(Value::Bool(false)),
            TokenKind::Keyword(Keyword::Null) => self.literal(Value::Null),
            TokenKind::Keyword(Keyword::Exists) => self.exists()?,
            TokenKind::Symbol(Symbol::OpenList) => {
                self.cursor.advance();
                (ExprKind::List(self.items(Symbol::CloseList)?), Form::Operand)
            }
            TokenKind::Symbol(Symbol::OpenMap) => {
                self.cursor.advance();
                (ExprKind::Map(self.entries()?), Form::Operand)
            }
            TokenKind::Symbol(Symbol::Open) => match self.lambda_parameters() {
                Some((parameters, tokens)) => self.lambda(parameters, tokens)?,
                None => return self.parenthesized(),
            },
            TokenKind::Name(name) => self.name(name)?,
            _ => return self.unexpected("an expression"),
        };
        Ok(Piece { expr: Expr::new(kind, span.to(self.cursor.previous_span())), form })
    }

    fn literal(&mut self, value: Value) -> (ExprKind, Form) {
        self.cursor.advance();
        (ExprKind::Literal(value), Form::Operand)
    }

    fn exists(&mut self) -> Parsed<(ExprKind, Form)> {
        self.cursor.advance();
        self.expect_symbol(Symbol::Open)?;
        let TokenKind::Name(name) = self.cursor.kind().clone() else {
            return self.unexpected("the name of a variable, without quotes");
        };
        self.cursor.advance();
        self.expect_symbol(Symbol::Close)?;
        Ok((ExprKind::Exists(name), Form::Operand))
    }

    /// A name alone, a call, or a lambda with one parameter.
    fn name(&mut self, name: Text) -> Parsed<(ExprKind, Form)> {
        match &self.cursor.peek(1).kind {
            TokenKind::Symbol(Symbol::Arrow) => self.lambda(vec![name], 2),
            TokenKind::Symbol(Symbol::Open) => {
                self.cursor.advance();
                self.cursor.advance();
                let arguments = self.items(Symbol::Close)?;
                Ok((ExprKind::Call { name, arguments }, Form::Arithmetic))
            }
            _ => {
                self.cursor.advance();
                Ok((ExprKind::Name(name), Form::Arithmetic))
            }
        }
    }

    /// The parameters of a lambda that begins here and how many tokens they take with the arrow; none if no lambda begins here.
    fn lambda_parameters(&self) -> Option<(Vec<Text>, usize)> {
        let symbol = |at: usize, symbol| self.cursor.peek(at).kind == TokenKind::Symbol(symbol);
        let mut parameters = Vec::new();
        let mut at = 1;
        if !symbol(1, Symbol::Close) {
            loop {
                let TokenKind::Name(name) = &self.cursor.peek(at).kind else { return None };
                parameters.push(name.clone());
                at += 1;
                if !symbol(at, Symbol::Comma) {
                    break;
                }
                at += 1;
            }
        }
        (symbol(at, Symbol::Close) && symbol(at + 1, Symbol::Arrow)).then_some((parameters, at + 2))
    }

    fn lambda(&mut self, parameters: Vec<Text>, tokens: usize) -> Parsed<(ExprKind, Form)> {
        for _ in 0..tokens {
            self.cursor.advance();
        }
        let body = Box::new(self.expression()?.expr);
        Ok((ExprKind::Lambda { parameters, body }, Form::Operand))
    }

    fn parenthesized(&mut self) -> Parsed<Piece> {
        self.cursor.advance();
        let mut piece = self.expression()?;
        self.expect_symbol(Symbol::Close)?;
        piece.form = piece.form.parenthesized();
        Ok(piece)
    }

    /// Arguments or list items up to the closing bracket. After an error it goes on behind the next comma.
    fn items(&mut self, close: Symbol) -> Parsed<Vec<Expr>> {
        let mut items = Vec::new();
        if self.cursor.take_symbol(close) {
            return Ok(items);
        }
        let mut failed = false;
        loop {
            match self.nested(Self::item) {
                Ok(item) => items.push(item),
                Err(Failed) => {
                    failed = true;
                    self.cursor.skip_item();
                }
            }
            if self.cursor.take_symbol(Symbol::Comma) {
                continue;
            }
            if !self.cursor.take_symbol(close) {
                return if failed { Err(Failed) } else { self.unexpected(&format!("\",\" or \"{}\"", close.text())) };
            }
            return if failed { Err(Failed) } else { Ok(items) };
        }
    }

    /// An argument or list item: a conditional or comparison or tighter, but no bare `and`, `or`, `in`.
    fn item(&mut self) -> Parsed<Expr> {
        let piece = self.conditional_or_logic()?;
        if piece.form == Form::Conditional {
            return Ok(piece.expr);
        }
        Ok(self.require(piece, Form::Comparison, "bare in a list or among arguments")?.expr)
    }

    fn entries(&mut self) -> Parsed<Vec<(Expr, Expr)>> {
        let mut entries = Vec::new();
        if self.cursor.take_symbol(Symbol::CloseMap) {
            return Ok(entries);
        }
        let mut failed = false;
        loop {
            match self.nested(Self::entry) {
                Ok(entry) => entries.push(entry),
                Err(Failed) => {
                    failed = true;
                    self.cursor.skip_item();
                }
            }
            if self.cursor.take_symbol(Symbol::Comma) {
                continue;
            }
            if !self.cursor.take_symbol(Symbol::CloseMap) {
                return if failed { Err(Failed) } else { self.unexpected("\",\" or \"}\"") };
            }
            return if failed { Err(Failed) } else { Ok(entries) };
        }
    }

    fn entry(&mut self) -> Parsed<(Expr, Expr)> {
        let key = self.comparison()?;
        let key = self.require(key, Form::Comparison, "as a key")?.expr;
        if !self.cursor.take_symbol(Symbol::Colon) {
            return self.unexpected("\":\" with a space before it");
        }
        let value = self.expression()?.expr;
        Ok((key, value))
    }
}
