//! `SYSTEM_PROPERTY_GET`: a property of the process.
//!
//! The original's are those of its Java machine. Ours are set by the configuration; a few of Java's names have answers of their own.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct SystemPropertyGet;

static DOC: Doc = Doc {
    name: "SYSTEM_PROPERTY_GET",
    summary: "A property: one of stellar.system.settings in global.json, or one of Java's that this process can answer.",
    parameters: &[needs(
        "name",
        "its name; answered without a setting: os.name, os.arch, file.separator, path.separator, line.separator, file.encoding, java.io.tmpdir, user.dir, user.timezone, and where env.allowed lists HOME and USER: user.home, user.name",
    )],
    returns: "a text; null if there is no such property",
    examples: &[
        gives("SYSTEM_PROPERTY_GET('site')", "'berlin'"),
        gives("SYSTEM_PROPERTY_GET('file.separator')", "'/'"),
        gives("SYSTEM_PROPERTY_GET('java.version')", "null"),
        gives("SYSTEM_PROPERTY_GET('user.home')", "null"),
        fails("SYSTEM_PROPERTY_GET(1)"),
    ],
    purity: Purity::Ambient,
};

impl Function for SystemPropertyGet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let name = arguments.text(0)?;
        let environment = context.environment();
        if let Some(value) = environment.services.system.properties.get(name) {
            return Ok(Value::text(value));
        }
        if name == "user.timezone" {
            return Ok(environment.zone.iana_name().map(Value::text).unwrap_or_default());
        }
        Ok(of_process(name, context).into())
    }
}

fn of_process(name: &str, context: &Context<'_>) -> Option<String> {
    let variable = |name| super::variable(DOC.name, name, context);
    match name {
        "os.name" => Some("Linux".into()),
        "os.arch" => Some(if cfg!(target_arch = "x86_64") { "amd64" } else { std::env::consts::ARCH }.into()),
        "file.separator" => Some("/".into()),
        "path.separator" => Some(":".into()),
        "line.separator" => Some("\n".into()),
        "file.encoding" => Some("UTF-8".into()),
        "java.io.tmpdir" => temporary(context),
        "user.dir" => std::env::current_dir().ok()?.to_str().map(str::to_owned),
        "user.home" => variable("HOME"),
        "user.name" => variable("USER"),
        _ => None,
    }
}

/// `TMPDIR` where it may be read, else where it would lead as a rule; nothing is missing, so nothing is reported.
fn temporary(context: &Context<'_>) -> Option<String> {
    let listed = context.environment().services.system.allows("TMPDIR").is_ok();
    let set = listed.then(|| std::env::var("TMPDIR").ok()).flatten();
    Some(set.unwrap_or_else(|| "/tmp".to_owned()))
}
