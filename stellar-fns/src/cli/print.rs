//! Values and errors as text for people and as JSON for programs.

use std::fmt::Write;

use maas_cli::exit;
use serde_json::{Value as Json, json};

use crate::batch::answer::Answer;
use crate::diagnostic::{locate, render};
use crate::error::{Code, Error};
use crate::value::{Value, to_json};

/// Text as it is, lists and maps as JSON, the rest as the language writes it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::List(_) | Value::Set(_) | Value::Map(_) => {
            to_json(value).map_or_else(|| value.to_string(), |json| json.to_string())
        }
        value => value.to_string(),
    }
}

/// A value as `stellar batch` writes it, without the id.
pub(super) fn value_document(value: &Value) -> Json {
    without_id(&Answer::value(value))
}

/// All errors; the first one also as `stellar batch` writes it.
pub(super) fn error_document(source: &str, errors: &[Error]) -> Json {
    let mut document = without_id(&Answer::errors(errors));
    document["errors"] = errors.iter().map(|error| one_error(source, error)).collect();
    document
}

fn without_id(answer: &Answer) -> Json {
    let mut document = serde_json::to_value(answer).unwrap_or_default();
    if let Some(members) = document.as_object_mut() {
        members.remove("id");
    }
    document
}

fn one_error(source: &str, error: &Error) -> Json {
    let place = locate(source, error.span);
    json!({
        "stage": error.stage().to_string(),
        "code": error.code.number(),
        "message": error.message,
        "span": [error.span.from, error.span.to],
        "line": place.line,
        "column": place.column,
        "hint": error.hint,
    })
}

/// All errors as they are drawn for people.
pub(super) fn drawn(source: &str, errors: &[Error]) -> String {
    errors.iter().fold(String::new(), |mut out, error| {
        let _infallible = out.write_str(&render(source, error));
        out
    })
}

/// The exit code of a command whose expression is in error.
pub(super) fn exit_of(errors: &[Error]) -> u8 {
    let no_zookeeper = errors.iter().any(|error| error.code == Code::NoZookeeper);
    if no_zookeeper { exit::UNREACHABLE } else { exit::REFUSED }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Compiler;

    #[test]
    fn a_document_has_all_errors_with_their_places() {
        let source = "F(1,\n +, -1 2)";
        let errors = Compiler::default().compile(source).unwrap_err();
        let document = error_document(source, &errors.0);
        assert_eq!((&document["kind"], document["errors"].as_array().unwrap().len()), (&json!("error"), 2));
        assert_eq!(document["errors"][0]["line"], 2);
        assert_eq!(document["errors"][0]["column"], 2);
        assert_eq!(document["error"]["span"], json!([6, 7]));
        assert_eq!(value_document(&Value::from(1)), json!({"kind": "value", "value": 1, "type": "int"}));
    }
}
