//! `OBJECT_GET`: an object of a store.

use maas_store::StorePath;

use crate::error::{Code, Fault};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::services::{self, Failure};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct ObjectGet;

static DOC: Doc = Doc {
    name: "OBJECT_GET",
    summary: "A file of the store that stellar.object.settings of global.json names, kept for a while by object.cache.*.",
    parameters: &[needs("path", "the file's path in the store")],
    returns: "what its JSON says; text if it is none; a list of bytes if it is no text either; null if there is no such file or it can't be read, which is reported",
    examples: &[
        gives("MAP_GET('22', OBJECT_GET('/ports.json'))", "'ssh'"),
        gives("OBJECT_GET('/note.txt')", "'hello'"),
        gives("OBJECT_GET('/none')", "null"),
        gives("OBJECT_GET(null)", "null"),
        fails("OBJECT_GET(1)"),
    ],
    purity: Purity::Asking,
};

impl Function for ObjectGet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let written = match arguments.or_null(0) {
            Value::Null => return Ok(Value::Null),
            _ => arguments.text(0)?,
        };
        let objects = context.environment().services.objects.clone().filter(|objects| objects.is_configured());
        let objects = objects.ok_or_else(|| {
            let message = "no store of objects is known; set store in stellar.object.settings of global.json to a url such as file:///DIR";
            Fault::new(Code::Service, message)
        })?;
        let path: StorePath =
            written.parse().map_err(|error| Fault::argument(format!("no path of a store: {error}")))?;
        let about = path.as_str().to_owned();
        let failure = match context.ask(async move { objects.get(path).await })? {
            Ok(object) if object.is_missing() => {
                Failure { outcome: services::Outcome::Unreadable, message: format!("there is no {about}"), about }
            }
            Ok(object) => {
                context.spend_text(object.size())?;
                return Ok(object.value());
            }
            Err(failure) => failure,
        };
        context.environment().services.failed(DOC.name, &failure);
        Ok(Value::Null)
    }
}
