//! The parser's place among the tokens.

use crate::error::Span;
use crate::lex::{Keyword, Symbol, Token, TokenKind};

/// Tokens with a place; the last token, the end, is never passed.
pub(super) struct Cursor {
    tokens: Vec<Token>,
    at: usize,
}

impl Cursor {
    pub(super) fn new(tokens: Vec<Token>) -> Self {
        Self { tokens, at: 0 }
    }

    pub(super) fn token(&self) -> &Token {
        self.peek(0)
    }

    pub(super) fn kind(&self) -> &TokenKind {
        &self.token().kind
    }

    pub(super) fn span(&self) -> Span {
        self.token().span
    }

    /// The token `ahead` of this one, or the end.
    pub(super) fn peek(&self, ahead: usize) -> &Token {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    pub(super) fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// The span of the token before this one.
    pub(super) fn previous_span(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    pub(super) fn at_symbol(&self, symbol: Symbol) -> bool {
        self.kind() == &TokenKind::Symbol(symbol)
    }

    pub(super) fn take_symbol(&mut self, symbol: Symbol) -> bool {
        let found = self.at_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn at_keyword(&self, keyword: Keyword) -> bool {
        self.kind() == &TokenKind::Keyword(keyword)
    }

    pub(super) fn take_keyword(&mut self, keyword: Keyword) -> bool {
        let found = self.at_keyword(keyword);
        if found {
            self.advance();
        }
        found
    }

    /// Passes everything up to a comma or a closing bracket of this level, or the end.
    pub(super) fn skip_item(&mut self) {
        let mut open = 0_usize;
        loop {
            match self.kind() {
                TokenKind::End => return,
                TokenKind::Symbol(Symbol::Comma) if open == 0 => return,
                TokenKind::Symbol(Symbol::Open | Symbol::OpenList | Symbol::OpenMap) => open += 1,
                TokenKind::Symbol(Symbol::Close | Symbol::CloseList | Symbol::CloseMap) => match open.checked_sub(1) {
                    Some(left) => open = left,
                    None => return,
                },
                _ => {}
            }
            self.advance();
        }
    }
}
