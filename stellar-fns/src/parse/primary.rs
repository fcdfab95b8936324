//! What has no operator at its top: literals, names, calls, lists, maps, lambdas, parentheses.

use super::{Failed, Form, Parsed, Parser, Piece};
use crate::ast::{Expr, ExprKind};
use crate::error::{Code, Error, Span};
use crate::lex::{Keyword, Symbol, TokenKind};
use crate::value::{Text, Value};

impl Parser<'_> {
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
                (ExprKind::List(self.items(Symbol::CloseList)), Form::Operand)
            }
            TokenKind::Symbol(Symbol::OpenMap) => {
                self.cursor.advance();
                (ExprKind::Map(self.entries()), Form::Operand)
            }
            TokenKind::Symbol(Symbol::Open) => match self.lambda_parameters() {
                Some((parameters, tokens)) => self.lambda(parameters, tokens)?,
                None => return self.parenthesized(),
            },
            TokenKind::Name(name) => self.name(name)?,
            TokenKind::Symbol(Symbol::Minus) => {
                let hint = "a sign belongs to a number; for the negative of something else write 0 - …";
                let error = Error::new(Code::Unexpected, "expected an expression, found \"-\"", span);
                self.record(error.hint(Some(hint.to_owned())));
                return Err(Failed);
            }
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
        let open = self.cursor.span();
        if !self.cursor.take_symbol(Symbol::Open) {
            return self.unexpected("\"(\" after exists");
        }
        let name = if let TokenKind::Name(name) = self.cursor.kind() {
            let name = name.clone();
            self.cursor.advance();
            name
        } else {
            self.expected("the name of a variable, without quotes");
            Text::default()
        };
        self.close(Symbol::Close, "\")\"", open);
        Ok((ExprKind::Exists(name), Form::Operand))
    }

    /// A name alone, a call, or a lambda with one parameter.
    fn name(&mut self, name: Text) -> Parsed<(ExprKind, Form)> {
        match &self.cursor.peek(1).kind {
            TokenKind::Symbol(Symbol::Arrow) => self.lambda(vec![name], 2),
            TokenKind::Symbol(Symbol::Open) => {
                self.cursor.advance();
                self.cursor.advance();
                let arguments = self.items(Symbol::Close);
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
        let open = self.cursor.span();
        self.cursor.advance();
        let mut piece = self.or_placeholder(Self::expression);
        self.close(Symbol::Close, "\")\"", open);
        piece.form = piece.form.parenthesized();
        Ok(piece)
    }

    /// Arguments or list items behind the opening bracket, and the closing one. After an error it goes on behind the next comma.
    fn items(&mut self, close: Symbol) -> Vec<Expr> {
        let open = self.cursor.previous_span();
        self.separated(close, open, Self::item)
    }

    fn entries(&mut self) -> Vec<(Expr, Expr)> {
        let open = self.cursor.previous_span();
        self.separated(Symbol::CloseMap, open, Self::entry)
    }

    /// What stands between commas up to the closing bracket. What is wrong in it is on record, so that the caller can go on behind it.
    pub(super) fn separated<T>(&mut self, close: Symbol, open: Span, one: fn(&mut Self) -> Parsed<T>) -> Vec<T> {
        let mut all = Vec::new();
        if self.cursor.take_symbol(close) {
            return all;
        }
        let expected = format!("\",\" or \"{}\"", close.text());
        loop {
            match self.nested(one) {
                Ok(one) => all.push(one),
                Err(Failed) => self.cursor.skip_item(),
            }
            let ends = self.cursor.at_symbol(Symbol::Comma) || self.cursor.at_closing();
            if !ends && self.cursor.kind() != &TokenKind::End {
                self.expected(&expected);
                self.cursor.skip_item();
            }
            if !self.cursor.take_symbol(Symbol::Comma) {
                self.close(close, &expected, open);
                return all;
            }
        }
    }

    /// Takes the closing bracket. Another one in its place belongs to a bracket further out and is left to it.
    pub(super) fn close(&mut self, close: Symbol, expected: &str, open: Span) {
        if self.cursor.take_symbol(close) {
            return;
        }
        if self.cursor.kind() == &TokenKind::End {
            let opened = self.source[open.from..open.to].to_owned();
            let message = format!("the {opened} that begins here is not closed");
            self.record(
                Error::new(Code::Unexpected, message, open).hint(Some(format!("expected {expected} behind it"))),
            );
            return;
        }
        self.expected(expected);
        if !self.cursor.at_closing() {
            self.cursor.skip_until(|_| false);
            let _found = self.cursor.take_symbol(close);
        }
    }

    /// An argument or list item: a conditional or comparison or tighter, but no bare `and`, `or`, `in`.
    fn item(&mut self) -> Parsed<Expr> {
        let piece = self.conditional_or_logic()?;
        if piece.form == Form::Conditional {
            return Ok(piece.expr);
        }
        Ok(self.require(piece, Form::Comparison, "bare in a list or among arguments").expr)
    }

    fn entry(&mut self) -> Parsed<(Expr, Expr)> {
        let key = self.comparison()?;
        let key = self.require(key, Form::Comparison, "as a key").expr;
        if !self.cursor.at_symbol(Symbol::Colon) {
            self.expected("\":\" with a space before it");
        }
        self.reach(&TokenKind::Symbol(Symbol::Colon))?;
        let value = self.expression()?.expr;
        Ok((key, value))
    }
}
