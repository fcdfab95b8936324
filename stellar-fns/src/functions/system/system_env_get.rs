//! `SYSTEM_ENV_GET`: an environment variable of this process.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct SystemEnvGet;

static DOC: Doc = Doc {
    name: "SYSTEM_ENV_GET",
    summary: "An environment variable of this process.",
    parameters: &[needs("name", "its name")],
    returns: "a text; null if it isn't set",
    examples: &[],
    purity: Purity::Ambient,
};

impl Function for SystemEnvGet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let name = arguments.text(0)?;
        if name.is_empty() || name.contains(['=', '\0']) {
            return Ok(Value::Null);
        }
        Ok(std::env::var(name).ok().into())
    }
}
