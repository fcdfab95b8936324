//! What a statement asks for. Pure.

use crate::configuration::assignment;

/// A statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Statement<'a> {
    /// Blank, or a comment.
    Nothing,
    /// The end of the shell.
    Quit,
    /// `?FUNCTION`
    Documentation(&'a str),
    /// `%name rest`
    Command { name: &'a str, rest: &'a str },
    /// `name := expression`
    Assign { name: &'a str, expression: &'a str },
    /// An expression.
    Expression(&'a str),
}

impl<'a> Statement<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let text = text.trim();
        match text.chars().next() {
            None | Some('#') => Self::Nothing,
            Some('?') => Self::Documentation(text[1..].trim()),
            Some('%') => {
                let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
                Self::Command { name, rest: rest.trim() }
            }
            Some(_) if matches!(text, "quit" | "exit") => Self::Quit,
            Some(_) => match assignment(text) {
                Some(assigned) => Self::Assign { name: assigned.name, expression: assigned.expression },
                None => Self::Expression(text),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_known_by_how_it_begins() {
        for (text, statement) in [
            ("  # x := 1", Statement::Nothing),
            (" ", Statement::Nothing),
            ("quit", Statement::Quit),
            ("? TO_UPPER", Statement::Documentation("TO_UPPER")),
            ("%define a := 1", Statement::Command { name: "%define", rest: "a := 1" }),
            ("%vars", Statement::Command { name: "%vars", rest: "" }),
            ("a.b := 1 ", Statement::Assign { name: "a.b", expression: "1" }),
            ("a == ':='", Statement::Expression("a == ':='")),
            ("quitting", Statement::Expression("quitting")),
        ] {
            assert_eq!(Statement::of(text), statement);
        }
    }
}
