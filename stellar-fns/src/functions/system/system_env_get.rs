//! `SYSTEM_ENV_GET`: an environment variable of this process.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct SystemEnvGet;

static DOC: Doc = Doc {
    name: "SYSTEM_ENV_GET",
    summary: "An environment variable of this process, if env.allowed of stellar.system.settings in global.json lists it.",
    parameters: &[needs("name", "its name")],
    returns: "a text; null if it isn't set, and if it isn't listed, which is reported",
    examples: &[
        gives("SYSTEM_ENV_GET('CARGO_PKG_NAME')", "'stellar-fns'"),
        gives("SYSTEM_ENV_GET('AWS_SECRET_ACCESS_KEY')", "null"),
        fails("SYSTEM_ENV_GET(1)"),
    ],
    purity: Purity::Ambient,
};

impl Function for SystemEnvGet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let name = arguments.text(0)?;
        if name.is_empty() || name.contains(['=', '\0']) {
            return Ok(Value::Null);
        }
        Ok(super::variable(DOC.name, name, context).into())
    }
}
