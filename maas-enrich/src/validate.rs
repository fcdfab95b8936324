//! Field validations of global.json: what a message must fulfil after its transformations.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value as Json;
use stellar_fns::{Environment, Value};

use crate::config::{Compile, Error};
use crate::expression::{Expression, Failed, Scope};
use crate::message::Message;

#[derive(Debug, Deserialize)]
struct Raw {
    #[serde(default)]
    input: Vec<String>,
    validation: String,
    config: Option<Message>,
}

/// One validation.
#[derive(Debug)]
pub struct Validation {
    /// Its name, for messages.
    pub name: String,
    /// The fields it is about; none: the whole message.
    pub input: Vec<String>,
    config: Message,
    check: Check,
}

#[derive(Debug)]
enum Check {
    /// On the message.
    Whole(Expression),
    /// On each field that is there.
    Each(Expression),
    NotEmpty,
}

/// What each field's check sees.
const FIELD: &str = "value_of_the_field";

pub(crate) fn compile(list: Option<&Json>, with: &mut Compile) -> Result<Vec<Validation>, Error> {
    let Some(list) = list.filter(|list| !list.is_null()) else { return Ok(Vec::new()) };
    let list: Vec<Raw> =
        Deserialize::deserialize(list).map_err(|error| Error::value("fieldValidations", error.to_string()))?;
    list.into_iter().enumerate().map(|(index, raw)| one(&format!("fieldValidations[{index}]"), raw, with)).collect()
}

fn one(key: &str, raw: Raw, with: &mut Compile) -> Result<Validation, Error> {
    let config = raw.config.unwrap_or_default();
    let text = |name: &str| config.get(name).and_then(Value::as_text);
    let mut each = |source: String| with.expressions.compile(key, &source).map(Check::Each);
    let check = match raw.validation.rsplit('.').next().unwrap_or_default() {
        "STELLAR" | "QUERY" => {
            let key = format!("{key}.config.condition");
            let source = text("condition").ok_or_else(|| Error::value(&key, "is needed; write an expression"))?;
            Check::Whole(with.expressions.compile(&key, source)?)
        }
        "IP" => each(match text("type") {
            Some(kind) => format!("IS_IP({FIELD}, '{}')", kind.replace(['\'', '\\'], "")),
            None => format!("IS_IP({FIELD})"),
        })?,
        "DOMAIN" => each(format!("IS_DOMAIN({FIELD})"))?,
        "EMAIL" => each(format!("IS_EMAIL({FIELD})"))?,
        "URL" => each(format!("IS_URL({FIELD})"))?,
        "INTEGER" => each(format!("IS_INTEGER({FIELD})"))?,
        "DATE" => {
            text("format").ok_or_else(|| Error::value(format!("{key}.config.format"), "is needed"))?;
            each(format!("IS_DATE({FIELD}, format)"))?
        }
        "REGEX_MATCH" => {
            text("pattern").ok_or_else(|| Error::value(format!("{key}.config.pattern"), "is needed"))?;
            each(format!("REGEXP_MATCH(TO_STRING({FIELD}), pattern)"))?
        }
        "NOT_EMPTY" => Check::NotEmpty,
        other => {
            let known = "validations are STELLAR, IP, DOMAIN, EMAIL, URL, INTEGER, DATE, REGEX_MATCH, NOT_EMPTY".into();
            return Err(Error::Foreign { key: format!("{key}.validation"), class: other.into(), known });
        }
    };
    Ok(Validation { name: raw.validation, input: raw.input, config, check })
}

impl Validation {
    /// Whether the message fulfils it. What is checked field by field passes where the field isn't there, NOT_EMPTY apart.
    pub async fn passes(
        &self,
        message: &Message,
        globals: &Message,
        environment: &Arc<Environment>,
    ) -> Result<bool, Failed> {
        match &self.check {
            Check::Whole(condition) => {
                let cut: Message =
                    self.input.iter().filter_map(|name| Some((name.as_str(), message.get(name)?.clone()))).collect();
                let seen = if self.input.is_empty() { message } else { &cut };
                condition.holds(&Scope::new([seen, &self.config, globals]), environment).await
            }
            Check::Each(check) => {
                for value in self.input.iter().filter_map(|name| message.get(name)).filter(|value| !value.is_null()) {
                    let field = Message::from_iter([(FIELD, value.clone())]);
                    if !check.holds(&Scope::new([&field, &self.config]), environment).await? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Check::NotEmpty => Ok(self.input.iter().all(|name| {
                let value = message.get(name).filter(|value| !value.is_null());
                value.is_some_and(|value| !value.to_string().trim().is_empty())
            })),
        }
    }
}
