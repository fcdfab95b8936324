//! What can go wrong, each with a stable number, a place in the expression and, where there is one, a hint.
//!
//! [`Fault`] is what functions raise; the evaluator adds the place and makes an [`struct@Error`] of it. `diagnostic` draws errors under their line.

use std::fmt;

use thiserror::Error;

/// Characters of a text from outside that a message shows.
const SHOWN: usize = 60;

/// A text as messages show it: in quotes, escaped, cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Digits as messages show them: cut where they are many.
pub(crate) fn cut(digits: &str) -> String {
    match digits.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &digits[..end]),
        None => digits.to_owned(),
    }
}

/// From and to, in bytes of the expression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub from: usize,
    /// One after the last byte.
    pub to: usize,
}

impl Span {
    pub(crate) fn new(from: usize, to: usize) -> Self {
        Self { from, to }
    }

    pub(crate) fn to(self, other: Self) -> Self {
        Self { from: self.from, to: other.to }
    }
}

/// Kinds of errors. The numbers never change: below 200 an expression doesn't compile, from 200 on its evaluation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// A character that starts nothing.
    BadCharacter = 100,
    /// A text without its closing quote.
    OpenText = 101,
    /// A backslash before a character that it doesn't escape.
    BadEscape = 102,
    /// A number that doesn't fit its type.
    NumberRange = 103,
    /// Something else was expected here.
    Unexpected = 110,
    /// The form exists, but not at this place.
    Misplaced = 111,
    /// The expression is longer than the limit.
    TooLong = 120,
    /// The expression is nested deeper than the limit.
    TooDeep = 121,
    /// A variable that isn't there, where that is an error.
    NoVariable = 200,
    /// A function that isn't there.
    NoFunction = 201,
    /// An operand or argument of the wrong type.
    WrongType = 202,
    /// Whole division by zero.
    DivisionByZero = 203,
    /// A condition that is neither true nor false.
    NoCondition = 204,
    /// Fewer or more arguments than the function takes.
    ArgumentCount = 205,
    /// An argument with a value that the function can't use.
    BadArgument = 206,
    /// A result larger than the limit.
    TooLarge = 207,
    /// More steps than the limit.
    TooManySteps = 208,
    /// A rule that gave something else than true or false.
    NoRule = 209,
    /// What was asked of another system failed.
    Service = 210,
    /// An error that the expression itself raised.
    Raised = 211,
    /// A question to models where no ZooKeeper is known to find them in.
    NoZookeeper = 212,
    /// Whoever asked did not want to wait for the answer.
    Interrupted = 213,
}

impl Code {
    /// Its number.
    pub fn number(self) -> u16 {
        self as u16
    }
}

/// Where the error was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// While compiling.
    Parse,
    /// While evaluating.
    Evaluate,
}

impl fmt::Display for Stage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Parse => "parse",
            Self::Evaluate => "evaluate",
        })
    }
}

/// An error with its place.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct Error {
    /// Its kind.
    pub code: Code,
    /// What is wrong, which value, what to do.
    pub message: String,
    /// Where.
    pub span: Span,
    /// A suggestion, such as a name that was probably meant.
    pub hint: Option<String>,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<String>, span: Span) -> Self {
        Self { code, message: message.into(), span, hint: None }
    }

    pub(crate) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// When it was noticed.
    pub fn stage(&self) -> Stage {
        if self.code.number() < 200 { Stage::Parse } else { Stage::Evaluate }
    }
}

/// All that is wrong with an expression that doesn't compile, in the order of its text; never empty.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Errors(pub Vec<Error>);

/// Why a function has no answer. Boxed, since it is rare and results are passed around a lot.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}", .0.message)]
pub struct Fault(Box<FaultParts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct FaultParts {
    code: Code,
    message: String,
    hint: Option<String>,
    span: Option<Span>,
}

impl Fault {
    /// A fault of this kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(FaultParts { code, message: message.into(), hint: None, span: None }))
    }

    /// An argument with a value that the function can't use.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(Code::BadArgument, message)
    }

    /// An operand or argument of the wrong type.
    pub fn wrong_type(message: impl Into<String>) -> Self {
        Self::new(Code::WrongType, message)
    }

    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.0.hint = hint;
        self
    }

    /// Adds the place, unless a place further inside is known.
    pub(crate) fn at(mut self, span: Span) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    /// Adds the function's name, unless a place further inside is known.
    pub(crate) fn in_function(mut self, name: &str, span: Span) -> Self {
        if self.0.span.is_none() {
            self.0.message = format!("{name}: {}", self.0.message);
            self.0.span = Some(span);
        }
        self
    }

    /// Its kind.
    pub fn code(&self) -> Code {
        self.0.code
    }

    pub(crate) fn into_error(self) -> Error {
        let parts = *self.0;
        Error { code: parts.code, message: parts.message, span: parts.span.unwrap_or_default(), hint: parts.hint }
    }
}
