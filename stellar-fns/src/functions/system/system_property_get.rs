//! `SYSTEM_PROPERTY_GET`: a property of the Java machine, where there is one: a few of its names are answered from this process.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct SystemPropertyGet;

static DOC: Doc = Doc {
    name: "SYSTEM_PROPERTY_GET",
    summary: "A property of the Java machine, where there is one: a few of its names are answered from this process.",
    parameters: &[needs("name", "its name")],
    returns: "a text; null if there is no such property",
    examples: &[],
    purity: Purity::Ambient,
};

impl Function for SystemPropertyGet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let answer = match arguments.text(0)? {
            "os.name" => Some("Linux"),
            "file.separator" => Some("/"),
            "path.separator" => Some(":"),
            "line.separator" => Some("\n"),
            _ => None,
        };
        Ok(answer.map(Value::text).unwrap_or_default())
    }
}
