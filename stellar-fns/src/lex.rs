//! Text to tokens: longest match, keywords before names, a sign belongs to the number it stands before.
//!
//! The lexer goes on after an error, so that one reading finds them all. What tokens may follow each other is `parse`'s affair.

use crate::error::{Code, Error, Span};
use crate::value::{Text, Value};

/// A token with its place.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// A number, or `NaN`.
    Number(Value),
    /// A quoted text.
    Text(Text),
    /// The name of a variable, parameter or function.
    Name(Text),
    /// A keyword, in lower case.
    Keyword(Keyword),
    /// An operator or bracket.
    Symbol(Symbol),
    /// The end of the expression.
    End,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $text:literal)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($variant),* }

        impl $name {
            pub(crate) fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            fn of(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// The words with a meaning of their own.
    Keyword {
        In "in" NotIn "not in" And "and" Or "or" Not "not" True "true" False "false" If "if" Then "then" Else "else" Null "null" Match "match"
        Default "default" Exists "exists"
    }
}

words! {
    /// Operators and brackets.
    Symbol {
        Arrow "->" FatArrow "=>" Equal "==" NotEqual "!=" LessEqual "<=" GreaterEqual ">=" AndAnd "&&" OrOr "||" Less "<" Greater ">" Plus "+" Minus "-" Times "*"
        Slash "/" Question "?" Colon ":" Comma "," Open "(" Close ")" OpenList "[" CloseList "]" OpenMap "{" CloseMap "}"
    }
}

impl TokenKind {
    /// Whether it stands between two operands.
    pub(crate) fn is_operator(&self) -> bool {
        match self {
            Self::Keyword(keyword) => matches!(keyword, Keyword::In | Keyword::NotIn | Keyword::And | Keyword::Or),
            Self::Symbol(symbol) => !matches!(
                symbol,
                Symbol::Comma
                    | Symbol::Open
                    | Symbol::Close
                    | Symbol::OpenList
                    | Symbol::CloseList
                    | Symbol::OpenMap
                    | Symbol::CloseMap
            ),
            _ => false,
        }
    }

    /// Whether it ends one side of `and` and `or`.
    pub(crate) fn ends_side(&self) -> bool {
        match self {
            Self::Keyword(keyword) => {
                matches!(keyword, Keyword::And | Keyword::Or | Keyword::Then | Keyword::Else)
            }
            Self::Symbol(symbol) => {
                matches!(symbol, Symbol::AndAnd | Symbol::OrOr | Symbol::Question | Symbol::Colon | Symbol::FatArrow)
            }
            _ => false,
        }
    }

    /// How messages name it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Number(number) => format!("number {number}"),
            Self::Text(_) => "a text".to_owned(),
            Self::Name(name) => format!("name {name}"),
            Self::Keyword(keyword) => format!("\"{}\"", keyword.text()),
            Self::Symbol(symbol) => format!("\"{}\"", symbol.text()),
            Self::End => "the end".to_owned(),
        }
    }
}

/// The tokens of an expression, the last of them [`TokenKind::End`], and what is wrong with its characters.
pub(crate) fn lex(source: &str) -> (Vec<Token>, Vec<Error>) {
    let mut lexer = Lexer { source, at: 0, tokens: Vec::new(), errors: Vec::new() };
    while lexer.at < source.len() {
        lexer.step();
    }
    lexer.push(TokenKind::End, source.len());
    (lexer.tokens, lexer.errors)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    tokens: Vec<Token>,
    errors: Vec<Error>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    fn push(&mut self, kind: TokenKind, end: usize) {
        self.tokens.push(Token { kind, span: Span::new(self.at, end) });
        self.at = end;
    }

    fn error(&mut self, code: Code, message: impl Into<String>, from: usize, to: usize) {
        self.errors.push(Error::new(code, message, Span::new(from, to)));
    }

    fn step(&mut self) {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        match bytes[0] {
            b' ' | b'\t' | b'\r' | b'\n' | b'\x0c' => self.at += 1,
            b'/' if bytes.get(1) == Some(&b'/') && bytes.len() > 2 => self.comment(),
            b'\'' | b'"' => self.text(bytes[0] as char),
            byte if byte.is_ascii_digit() || byte == b'.' || byte == b'-' => self.number_or_symbol(),
            byte if byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' => self.word(),
            _ => self.symbol(),
        }
    }

    /// The original's rule takes one character whatever it is, then all up to the end of the line.
    fn comment(&mut self) {
        let first = self.rest()[2..].chars().next().map_or(0, char::len_utf8);
        let from = self.at + 2 + first;
        self.at = self.source[from..].find('\n').map_or(self.source.len(), |index| from + index + 1);
    }

    fn symbol(&mut self) {
        let rest = self.rest();
        for width in [2, 1] {
            if let Some(symbol) = rest.get(..width).and_then(Symbol::of) {
                return self.push(TokenKind::Symbol(symbol), self.at + width);
            }
        }
        let char = rest.chars().next().unwrap_or(' ');
        let end = self.at + char.len_utf8();
        let hint = match char {
            '=' if self.source[..self.at].ends_with(':') => {
                Some("assignments (name := expression) belong to the shell and to lists of configurations")
            }
            '=' => Some("to compare, write =="),
            '!' => Some("to negate, write not(…) or !="),
            '&' => Some("write && or and"),
            '|' => Some("write || or or"),
            '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' => Some("texts stand in straight quotes, ' or \""),
            _ => None,
        };
        let error =
            Error::new(Code::BadCharacter, format!("character {char:?} starts nothing"), Span::new(self.at, end));
        self.errors.push(error.hint(hint.map(str::to_owned)));
        self.at = end;
    }

    fn word(&mut self) {
        let rest = self.rest();
        for (text, keyword) in [("not in", Keyword::NotIn), ("NOT IN", Keyword::NotIn)] {
            // One token with exactly one space: longest match, so that even `not inside` begins with it.
            if rest.starts_with(text) {
                return self.push(TokenKind::Keyword(keyword), self.at + text.len());
            }
        }
        let length =
            rest.bytes().skip(1).take_while(|byte| byte.is_ascii_alphanumeric() || b"_.:".contains(byte)).count() + 1;
        let word = rest[..length].trim_end_matches(':');
        let end = self.at + word.len();
        let upper = word.bytes().all(|byte| byte.is_ascii_uppercase());
        let lower = word.bytes().all(|byte| byte.is_ascii_lowercase());
        let keyword = if upper || lower { Keyword::of(&word.to_ascii_lowercase()) } else { None };
        let kind = match keyword {
            Some(keyword) => TokenKind::Keyword(keyword),
            None if word == "NaN" => TokenKind::Number(Value::Double(f64::NAN)),
            None => TokenKind::Name(Text::new(word)),
        };
        self.push(kind, end);
    }

    fn text(&mut self, quote: char) {
        let start = self.at;
        let mut text = Text::default();
        let mut chars = self.rest().char_indices().skip(1);
        let mut bad = Vec::new();
        let end = loop {
            let Some((index, char)) = chars.next() else { break None };
            match char {
                _ if char == quote => break Some(start + index + 1),
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, escaped)) if escaped == '\\' || escaped == quote => text.push(escaped),
                    Some((next, escaped)) => bad.push((start + index, start + next + escaped.len_utf8(), escaped)),
                    None => break None,
                },
                _ => text.push(char),
            }
        };
        for (from, to, escaped) in bad {
            let error = Error::new(
                Code::BadEscape,
                format!("\\{escaped} is no escape in a text quoted with {quote}"),
                Span::new(from, to),
            );
            self.errors.push(error.hint(Some(format!("for a backslash write \\\\{escaped}"))));
        }
        match end {
            Some(end) => self.push(TokenKind::Text(text), end),
            None => {
                self.error(
                    Code::OpenText,
                    format!("the text that begins here has no closing {quote}"),
                    start,
                    start + 1,
                );
                self.at = self.source.len();
            }
        }
    }

    fn number_or_symbol(&mut self) {
        match scan_number(self.rest()) {
            Some((length, kind)) => self.number(length, kind),
            None => self.symbol(),
        }
    }

    fn number(&mut self, length: usize, kind: NumberKind) {
        let text = &self.rest()[..length];
        let digits = text.trim_end_matches(|char: char| "lLfFdD".contains(char));
        let value = match kind {
            NumberKind::Int => digits.parse().ok().map(Value::Int),
            NumberKind::Long => digits.parse().ok().map(Value::Long),
            NumberKind::Float => digits.parse().ok().map(Value::Float),
            NumberKind::Double => digits.parse().ok().map(Value::Double),
        };
        let end = self.at + length;
        match value {
            Some(value) => self.push(TokenKind::Number(value), end),
            None => {
                let is_long = kind == NumberKind::Int && digits.parse::<i64>().is_ok();
                let hint = is_long.then(|| format!("as a long: {text}L"));
                let error =
                    Error::new(Code::NumberRange, format!("{text} doesn't fit"), Span::new(self.at, end)).hint(hint);
                self.errors.push(error);
                self.push(TokenKind::Number(Value::Int(0)), end);
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum NumberKind {
    Int,
    Long,
    Float,
    Double,
}

/// The longest number at the start of `text`. A sign needs a whole part behind it, except for floats such as `-.5f`.
fn scan_number(text: &str) -> Option<(usize, NumberKind)> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from.min(bytes.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let signed = at(0) == b'-';
    let start = usize::from(signed);
    // No leading zeros: `00` is two numbers.
    let whole = if at(start) == b'0' { 1 } else { digits(start) };
    let mut end = start + whole;
    let mut decimal = false;
    if whole > 0 && at(end) == b'.' {
        end += 1 + digits(end + 1);
        decimal = true;
    } else if whole == 0 {
        let fraction = if at(start) == b'.' { digits(start + 1) } else { 0 };
        if fraction == 0 {
            return None;
        }
        end = start + 1 + fraction;
        decimal = true;
    }
    if matches!(at(end), b'e' | b'E') {
        let sign = usize::from(matches!(at(end + 1), b'+' | b'-'));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
            decimal = true;
        }
    }
    let bare_fraction = signed && whole == 0;
    match at(end) {
        b'f' | b'F' => Some((end + 1, NumberKind::Float)),
        _ if bare_fraction => None,
        b'd' | b'D' => Some((end + 1, NumberKind::Double)),
        b'l' | b'L' if !decimal => Some((end + 1, NumberKind::Long)),
        _ if decimal => Some((end, NumberKind::Double)),
        _ => Some((end, NumberKind::Int)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> String {
        let (tokens, errors) = lex(source);
        assert_eq!(errors, [], "{source}");
        tokens.iter().map(|token| token.kind.describe()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_sign_belongs_to_the_number() {
        assert_eq!(kinds("1-1"), "number 1 number -1 the end");
        assert_eq!(kinds("3-x<-1"), "number 3 \"-\" name x \"<\" number -1 the end");
        assert_eq!(kinds("x->1"), "name x \"->\" number 1 the end");
    }

    #[test]
    fn numbers_take_their_type_from_their_form() {
        let types = |source| {
            lex(source)
                .0
                .iter()
                .filter_map(
                    |token| if let TokenKind::Number(value) = &token.kind { Some(value.type_name()) } else { None },
                )
                .collect::<Vec<_>>()
        };
        assert_eq!(
            types("1 1L 1. 1.5 .5 1e3 1E+3d 6D 6f -.5f 6e+6f"),
            ["int", "long", "double", "double", "double", "double", "double", "double", "float", "float", "float"]
        );
        assert_eq!(kinds("-.5"), "\"-\" number 0.5 the end");
        assert_eq!(kinds("00"), "number 0 number 0 the end");
    }

    #[test]
    fn a_number_that_is_no_long_either_is_not_said_to_be_one() {
        let hint = |source| lex(source).1.remove(0).hint;
        assert_eq!(hint("2147483648").unwrap(), "as a long: 2147483648L");
        assert_eq!(hint("9223372036854775808"), None);
    }

    #[test]
    fn names_take_dots_and_colons_but_do_not_end_in_a_colon() {
        assert_eq!(kinds("a:1"), "name a:1 the end");
        assert_eq!(kinds("a : 1"), "name a \":\" number 1 the end");
        assert_eq!(kinds("a..b: True"), "name a..b \":\" name True the end");
    }

    #[test]
    fn a_comment_needs_a_character() {
        assert_eq!(kinds("1 // x"), "number 1 the end");
        assert_eq!(kinds("1 //"), "number 1 \"/\" \"/\" the end");
    }

    #[test]
    fn not_in_has_exactly_one_space() {
        assert_eq!(kinds("not in"), "\"not in\" the end");
        assert_eq!(kinds("not  in"), "\"not\" \"in\" the end");
    }

    #[test]
    fn all_errors_are_found_in_one_reading() {
        let codes: Vec<_> = lex("; '\\d' 99999999999 'x").1.iter().map(|error| error.code).collect();
        assert_eq!(codes, [Code::BadCharacter, Code::BadEscape, Code::NumberRange, Code::OpenText]);
    }
}
