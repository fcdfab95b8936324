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

    /// Where the token before this place ends.
    pub(super) fn end_before(&self, place: Span) -> usize {
        let after = self.tokens.partition_point(|token| token.span.from < place.from);
        after.checked_sub(1).map_or(0, |index| self.tokens[index].span.to)
    }

    pub(super) fn previous_is(&self, kind: &TokenKind) -> bool {
        self.at.checked_sub(1).is_some_and(|before| &self.tokens[before].kind == kind)
    }

    pub(super) fn at_closing(&self) -> bool {
        matches!(self.kind(), TokenKind::Symbol(Symbol::Close | Symbol::CloseList | Symbol::CloseMap))
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
        self.skip_until(|_| false);
    }

    /// Passes everything up to a comma or a closing bracket of this level, a token that `stops`, or the end. Conditionals passed over keep their keywords.
    pub(super) fn skip_until(&mut self, stops: impl Fn(&TokenKind) -> bool) {
        let (mut open, mut conditionals) = (0_usize, 0_usize);
        loop {
            match self.kind() {
                TokenKind::End => return,
                TokenKind::Symbol(Symbol::Comma) if open == 0 => return,
                TokenKind::Symbol(Symbol::Open | Symbol::OpenList | Symbol::OpenMap) => open += 1,
                TokenKind::Symbol(Symbol::Close | Symbol::CloseList | Symbol::CloseMap) => match open.checked_sub(1) {
                    Some(left) => open = left,
                    None => return,
                },
                TokenKind::Keyword(Keyword::If) if open == 0 => conditionals += 1,
                TokenKind::Keyword(Keyword::Else) if open == 0 && conditionals > 0 => conditionals -= 1,
                kind if open == 0 && conditionals == 0 && stops(kind) => return,
                _ => {}
            }
            self.advance();
        }
    }
}
