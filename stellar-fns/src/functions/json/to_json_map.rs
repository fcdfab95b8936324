//! `TO_JSON_MAP`: the map that a JSON text describes.

use super::read::read;
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct ToJsonMap;

static DOC: Doc = Doc {
    name: "TO_JSON_MAP",
    summary: "The map that a JSON text describes.",
    parameters: &[needs("json", "the text of a JSON object")],
    returns: "the map; null for null",
    examples: &[gives("TO_JSON_MAP('{\"a\" : 1}')", "{'a' : 1}"), fails("TO_JSON_MAP('[1]')")],
    purity: Purity::Pure,
};

impl Function for ToJsonMap {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        match read(arguments, context)? {
            value @ (Value::Null | Value::Text(_) | Value::Map(_)) if !is_json_text(&value, arguments) => Ok(value),
            _ => Err(Fault::argument("this JSON is no object")),
        }
    }
}

/// JSON may also describe a text or null, which isn't what was asked for; an empty argument is given back as it is.
fn is_json_text(value: &Value, arguments: &Arguments<'_>) -> bool {
    let given = arguments.or_null(0).as_text().unwrap_or_default();
    !matches!(value, Value::Map(_)) && !given.is_empty()
}
