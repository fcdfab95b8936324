//! What is wrong with the expressions of a file, with line and column in the file.

use serde::Serialize;

use super::shapes::{self, Kind, Misfit};
use super::{Expression, Places};
use crate::diagnostic::{Place, locate};
use crate::error::{Error, Span};
use crate::program::Compiler;

/// What came of checking a file.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// How many expressions were compiled.
    pub expressions: usize,
    /// What doesn't compile, and what can't be an expression.
    pub errors: Vec<Finding>,
    /// Functions that don't exist here. A call of one is an error only when it is reached.
    pub warnings: Vec<Finding>,
}

/// Something wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where it stands: a JSON pointer, or the name that a file of expressions gives the value; empty where there is neither.
    pub key: String,
    /// The line of the file, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
    /// The kind of error; none where the configuration itself is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The line of the file, to be drawn with [`crate::diagnostic::draw`].
    #[serde(skip)]
    pub place: Place,
}

/// Compiles all expressions of a file.
pub fn check(kind: Kind, text: &str, compiler: &Compiler) -> Checked {
    let found = match shapes::find(kind, text) {
        Ok(found) => found,
        Err(error) => return Checked { errors: vec![unreadable(text, &error)], ..Checked::default() },
    };
    let mut checked = Checked { expressions: found.expressions.len(), ..Checked::default() };
    for misfit in found.misfits {
        checked.errors.push(misfitting(text, misfit));
    }
    for expression in &found.expressions {
        match compiler.compile(&expression.text) {
            Err(errors) => checked.errors.extend(errors.0.iter().map(|error| Finding::of(text, expression, error))),
            Ok(program) => {
                let unknown = program.unknown_functions().iter();
                checked.warnings.extend(unknown.map(|error| Finding::of(text, expression, error)));
            }
        }
    }
    checked.errors.sort_by_key(|finding| (finding.line, finding.column));
    checked
}

/// Compiles one expression that stands in no file.
pub fn check_expression(text: &str, compiler: &Compiler) -> Checked {
    let expression = Expression { key: String::new(), text: text.to_owned(), places: Places::Direct(0) };
    let of = |error: &Error| Finding::of(text, &expression, error);
    let (errors, warnings) = match compiler.compile(text) {
        Err(errors) => (errors.0.iter().map(of).collect(), Vec::new()),
        Ok(program) => (Vec::new(), program.unknown_functions().iter().map(of).collect()),
    };
    Checked { expressions: 1, errors, warnings }
}

impl Finding {
    /// Something wrong with a whole file; it has no line.
    pub fn about_file(message: impl Into<String>) -> Self {
        Self {
            key: String::new(),
            line: 0,
            column: 0,
            code: None,
            message: message.into(),
            hint: None,
            place: locate("", Span::default()),
        }
    }

    fn of(file: &str, expression: &Expression, error: &Error) -> Self {
        let place = locate(file, expression.in_file(error.span));
        Self {
            key: expression.key.clone(),
            line: place.line,
            column: place.column,
            code: Some(error.code.number()),
            message: error.message.clone(),
            hint: error.hint.clone(),
            place,
        }
    }
}

fn misfitting(file: &str, misfit: Misfit) -> Finding {
    let place = locate(file, misfit.span);
    Finding {
        key: misfit.key,
        line: place.line,
        column: place.column,
        code: None,
        message: misfit.message,
        hint: None,
        place,
    }
}

fn unreadable(file: &str, error: &serde_json::Error) -> Finding {
    let start: usize = file.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    // The last byte that was read; at the start of a line that is the end of the line before.
    let at = (start + error.column()).saturating_sub(1);
    let place = locate(file, Span::new(at, at + 1));
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text);
    Finding {
        key: String::new(),
        line: place.line,
        column: place.column,
        code: None,
        message: format!("no JSON: {message}"),
        hint: None,
        place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_file() {
        let text = "{\"fieldTransformations\": [{\"transformation\": \"STELLAR\", \"config\": {\n  \"a\": \"F(\\\"x\\\", )\",\n  \"b\": \"TO_UPER(b)\"\n}}]}";
        let checked = check(Kind::Parser, text, &Compiler::default());
        assert_eq!(checked.expressions, 2);
        let (error, warning) = (&checked.errors[0], &checked.warnings[0]);
        assert_eq!((error.line, error.column, error.code), (2, 18, Some(110)));
        assert_eq!(error.place.text.chars().nth(error.place.indent), Some(')'));
        assert_eq!((warning.line, warning.column, warning.code), (3, 9, Some(201)));
        assert_eq!(warning.hint.as_deref(), Some("did you mean TO_UPPER?"));
        assert_eq!(warning.key, "/fieldTransformations/0/config/b");
    }

    #[test]
    fn no_json_is_an_error_with_its_place() {
        let checked = check(Kind::Parser, "{\n  \"a\": nul\n}", &Compiler::default());
        assert_eq!((checked.errors[0].line, checked.expressions), (2, 0));
        assert_eq!(
            check(Kind::Enrichment, "[]", &Compiler::default()).errors[0].message,
            "expected an object, found a list"
        );
    }
}
