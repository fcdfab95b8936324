//! An answer as it is written: a value with its kind and type, or what is wrong.

use serde::Serialize;
use serde_json::{Number, Value as Json};

use crate::error::{Code, Error, Span};
use crate::value::{Fuel, LARGEST, Unwritable, Value, double_text, to_json_within};

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

    /// A value, or why it can't be written.
    pub(crate) fn value(value: &Value) -> Result<Self, Error> {
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
            Value::Set(_) => ("set", Some(encode(value)?)),
            Value::Map(map) if map.read().keys().any(|key| key.as_text().is_none()) => {
                ("entries", Some(encode(value)?))
            }
            value => ("value", Some(encode(value)?)),
        };
        Ok(Self { value: json, type_name, ..Self::new(kind) })
    }
}

/// The JSON of a value, with maps that have other keys than text as pairs at the top; or why it can't be written.
pub(crate) fn encode(value: &Value) -> Result<Json, Error> {
    let mut fuel = Fuel::new(LARGEST);
    let json = match value {
        Value::Map(map) if map.read().keys().any(|key| key.as_text().is_none()) => {
            let table = map.read();
            let pair = |(key, value)| {
                Ok(Json::Array(vec![to_json_within(key, &mut fuel)?, to_json_within(value, &mut fuel)?]))
            };
            table.iter().map(pair).collect::<Result<_, Unwritable>>().map(Json::Array)
        }
        // The nearest double of a float.
        Value::Float(float) => Ok(Number::from_f64(f64::from(*float)).map_or(Json::Null, Json::Number)),
        value => to_json_within(value, &mut fuel),
    };
    json.map_err(unwritable)
}

/// The error of a value that can't be written.
pub(crate) fn unwritable(why: Unwritable) -> Error {
    let message = match why {
        Unwritable::TooLarge => {
            format!(
                "the value is too large to be written: what it holds, counted wherever it stands, are over {LARGEST} values"
            )
        }
        Unwritable::TooDeep => format!("the value can't be written: it is {why}"),
    };
    Error::new(Code::TooLarge, message, Span::default())
}
