//! A failure a user can cause, and how it is printed: once, at the edge.
//!
//! Libraries have their own typed errors; the commands turn them into a [`Failure`] with a code of the fixed list.
//! Printed as one line on stderr with the causes below, or with `--json` as one document on stdout.

use crate::code::ErrorCode;
use crate::output::Out;
use serde::Serialize;
use std::error::Error;
use std::fmt;
use std::io::Write;

/// What went wrong, for the user: one line that says what, which value and what to do, and the causes below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    code: ErrorCode,
    message: String,
    causes: Vec<String>,
}

impl Failure {
    /// A failure without causes.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Failure { code, message: message.into(), causes: Vec::new() }
    }

    /// A failure whose message is the error's own, with its sources as causes.
    pub fn of(code: ErrorCode, error: &(dyn Error + 'static)) -> Self {
        let failure = Failure::new(code, error.to_string());
        match error.source() {
            Some(source) => failure.because(source),
            None => failure,
        }
    }

    /// Adds an error and its sources as causes. A cause that repeats the line above it is left out.
    #[must_use]
    pub fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.push_cause(error.to_string());
            next = error.source();
        }
        self
    }

    /// Adds one cause in words.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<String>) -> Self {
        self.push_cause(cause.into());
        self
    }

    fn push_cause(&mut self, cause: String) {
        let above = self.causes.last().unwrap_or(&self.message);
        if *above != cause {
            self.causes.push(cause);
        }
    }

    /// Its code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The exit code of a program that ends with it.
    pub fn exit(&self) -> u8 {
        self.code.exit()
    }

    /// The one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The causes, nearest first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// The failure as it stands under `error` in JSON.
    pub fn document(&self) -> ErrorDocument<'_> {
        ErrorDocument { error: ErrorBody { code: self.code, message: &self.message, causes: &self.causes } }
    }

    /// Prints it where it belongs and returns the exit code: with `json` a document on stdout, else text on stderr.
    pub fn report(&self, json: bool) -> u8 {
        if json {
            // A reader that has gone away wants no error either; the exit code still says it.
            let _ = Out::stdout().json(&self.document());
        } else {
            self.print();
        }
        self.exit()
    }

    /// Prints it as text on stderr.
    pub fn print(&self) {
        let mut text = format!("error: {}\n", one_line(&self.message));
        for cause in &self.causes {
            text.push_str("  caused by: ");
            text.push_str(&one_line(cause));
            text.push('\n');
        }
        // Nothing can be said about a stderr that can't be written to.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}

/// `{"error":{…}}`.
#[derive(Debug, Serialize)]
pub struct ErrorDocument<'a> {
    error: ErrorBody<'a>,
}

#[derive(Debug, Serialize)]
struct ErrorBody<'a> {
    code: ErrorCode,
    message: &'a str,
    causes: &'a [String],
}

/// Text from outside must not move the cursor or look like further lines: control characters become escapes.
/// Line breaks that we make ourselves (lists in usage messages) are kept, indented.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.trim_end().chars() {
        match character {
            '\n' => line.push_str("\n  "),
            character if character.is_control() => line.extend(character.escape_default()),
            character => line.push(character),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("file can't be read")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_follow_the_chain_and_json_has_them() {
        let failure = Failure::of(ErrorCode::Unreadable, &Outer(std::io::Error::other("disk on fire")));
        assert_eq!(failure.causes(), ["disk on fire"]);
        assert_eq!(failure.exit(), 3);
        assert_eq!(
            serde_json::to_string(&failure.document()).unwrap(),
            r#"{"error":{"code":"unreadable","message":"file can't be read","causes":["disk on fire"]}}"#
        );
    }

    #[test]
    fn control_characters_are_shown_escaped() {
        assert_eq!(one_line("a\u{1b}[31m\r"), "a\\u{1b}[31m");
    }
}
