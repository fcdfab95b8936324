//! `SYSTEM_ENV_GET`: an environment variable of this process.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::services::{self, Failure};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct SystemEnvGet;

static DOC: Doc = Doc {
    name: "SYSTEM_ENV_GET",
    summary: "An environment variable of this process, unless stellar.system.settings of global.json keeps it back.",
    parameters: &[needs("name", "its name; one that looks like a secret must be listed in env.allowed")],
    returns: "a text; null if it isn't set, and if it is kept back, which is reported",
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
        let services = &context.environment().services;
        if let Err(message) = services.system.allows(name) {
            let outcome = services::Outcome::Refused;
            services.failed(DOC.name, &Failure { outcome, about: name.to_owned(), message });
            return Ok(Value::Null);
        }
        Ok(std::env::var(name).ok().into())
    }
}
