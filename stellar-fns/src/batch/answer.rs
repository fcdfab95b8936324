//! An answer as it is written: a value with its kind and type, or what is wrong.

use serde::Serialize;
use serde_json::{Number, Value as Json};

use crate::error::{Code, Error, Span};
use crate::value::{Fuel, LARGEST, Value, double_text, to_json, to_json_within};

/// A line of output.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    id: Json,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Json>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    type_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Written>,
}

#[derive(Debug, Serialize)]
struct Written {
    code: u16,
    message: String,
    stage: String,
    span: [usize; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Answer {
    fn new(kind: &'static str) -> Self {
        Self { id: Json::Null, kind, value: None, type_name: None, error: None }
    }

    pub(crate) fn with_id(mut self, id: Json) -> Self {
        self.id = id;
        self
    }

    pub(crate) fn valid() -> Self {
        Self { value: Some(Json::Bool(true)), ..Self::new("valid") }
    }

    /// The first error; there is at least one.
    pub(crate) fn errors(errors: &[Error]) -> Self {
        let written = errors.first().map(|error| Written {
            code: error.code.number(),
            message: error.message.clone(),
            stage: error.stage().to_string(),
            span: [error.span.from, error.span.to],
            hint: error.hint.clone(),
        });
        Self { error: written, ..Self::new("error") }
    }

    pub(crate) fn unreadable(message: &str) -> Self {
        Self::errors(&[Error::new(Code::Unexpected, format!("not a case: {message}"), Span::default())])
    }

    pub(crate) fn value(value: &Value) -> Self {
        let type_name = Some(match value {
            Value::Lambda(_) => "object",
            value => value.type_name(),
        });
        let (kind, json) = match value {
            Value::Object(_) | Value::Lambda(_) => ("value", None),
            Value::Double(double) if !double.is_finite() => ("special", Some(Json::String(double_text(*double)))),
            Value::Float(float) if !float.is_finite() => {
                ("special", Some(Json::String(double_text(f64::from(*float)))))
            }
            Value::Set(_) => ("set", encode(value)),
            Value::Map(map) if map.read().keys().any(|key| key.as_text().is_none()) => ("entries", encode(value)),
            value => ("value", encode(value)),
        };
        match json {
            None if !matches!(value, Value::Object(_) | Value::Lambda(_)) => Self::errors(&[Error::new(
                Code::TooLarge,
                "the value is nested too deep to be written",
                Span::default(),
            )]),
            json => Self { value: json, type_name, ..Self::new(kind) },
        }
    }
}

/// Like [`to_json`], with maps that have other keys than text as pairs at the top.
fn encode(value: &Value) -> Option<Json> {
    match value {
        Value::Map(map) if map.read().keys().any(|key| key.as_text().is_none()) => {
            let table = map.read();
            let mut fuel = Fuel::new(LARGEST);
            let pairs = table.iter().map(|(key, value)| {
                Some(Json::Array(vec![to_json_within(key, &mut fuel)?, to_json_within(value, &mut fuel)?]))
            });
            Some(Json::Array(pairs.collect::<Option<_>>()?))
        }
        // The nearest double of a float.
        Value::Float(float) => Number::from_f64(f64::from(*float)).map(Json::Number),
        value => to_json(value),
    }
}
