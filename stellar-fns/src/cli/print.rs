//! Values and errors as text for people and as JSON for programs.

use std::fmt::Write;

use maas_cli::exit;
use serde_json::{Value as Json, json};

use crate::batch::answer::{Answer, unwritable};
use crate::diagnostic::{locate, render};
use crate::error::{Code, Error, Span};
use crate::value::{Fuel, LARGEST, Value, to_json_within};

/// The value of an expression for people or, as `stellar batch` writes it but for the id, for programs; or why it can't be written.
pub(super) fn answer(source: &str, value: &Value, json: bool) -> Result<String, Error> {
    let written = if json { Answer::value(value).map(|answer| without_id(&answer).to_string()) } else { shown(value) };
    written.map_err(|error| Error { span: Span::new(0, source.len()), ..error })
}

/// Text as it is, lists and maps as JSON, the rest as the language writes it.
fn shown(value: &Value) -> Result<String, Error> {
    match value {
        Value::List(_) | Value::Set(_) | Value::Map(_) => {
            let json = to_json_within(value, &mut Fuel::new(LARGEST));
            json.map(|json| json.to_string()).map_err(unwritable)
        }
        value => Ok(value.to_string()),
    }
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
        let answer = answer("1", &Value::from(1), true).unwrap();
        assert_eq!(answer, r#"{"kind":"value","type":"int","value":1}"#);
    }

    #[test]
    fn a_value_that_shares_itself_too_often_is_refused_and_not_cut() {
        let vast = (0..30).fold(Value::from(1), |inner, _| Value::list([inner.clone(), inner]));
        for json in [false, true] {
            let error = answer("x + y", &vast, json).unwrap_err();
            assert!(error.message.contains("too large"), "{error}");
            assert_eq!((error.code, error.span), (Code::TooLarge, Span::new(0, 5)));
        }
        let deep = (0..300).fold(Value::from(1), |inner, _| Value::list([inner]));
        assert!(answer("x", &deep, false).unwrap_err().message.contains("nested deeper"));
    }
}
