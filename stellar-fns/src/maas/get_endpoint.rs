//! `MAAS_GET_ENDPOINT`: an endpoint of a model.

use std::sync::Arc;

use super::{Endpoint, Failure, ModelCaller};
use crate::error::{Code, Fault};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs, takes};
use crate::value::{Map, MapKind, Text, Value};

/// See [`DOC`].
pub(super) struct MaasGetEndpoint;

static DOC: Doc = Doc {
    name: "MAAS_GET_ENDPOINT",
    summary: "An endpoint of a model, each with the same probability.",
    parameters: &[needs("name", "the model"), takes("version", "its version; the newest without it")],
    returns: "a map with name, version, url and endpoint:FUNCTION for each function; null if there is none, and the reason is reported",
    examples: &[
        gives("MAP_GET('version', MAAS_GET_ENDPOINT('dga'))", "'1.0'"),
        gives("MAP_GET('endpoint:apply', MAAS_GET_ENDPOINT('dga', '1.0'))", "'apply'"),
        gives("MAAS_GET_ENDPOINT('dga', '9.9')", "null"),
        gives("MAAS_GET_ENDPOINT(null)", "null"),
    ],
    purity: Purity::Asking,
};

impl Function for MaasGetEndpoint {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(1, 2)?;
        let models = models_of(context)?;
        let name = context.text_or_none(arguments.or_null(0))?;
        // It may be written as a number.
        let version = context.text_or_none(arguments.or_null(1))?;
        let found = match name {
            Some(name) => match models.known_endpoint(&name, version.as_deref()) {
                Some(known) => known,
                None => {
                    let models = models.clone();
                    context.ask(async move { models.endpoint(&name, version.as_deref()).await })?
                }
            },
            None => Err(Failure::nothing_named("the name is null")),
        };
        match found {
            Ok(endpoint) => Ok(as_map(endpoint)),
            Err(failure) => {
                models.report(DOC.name, &failure);
                Ok(Value::Null)
            }
        }
    }
}

/// Whoever finds and calls models for this evaluation.
pub(super) fn models_of<'a>(context: &Context<'a>) -> Result<&'a Arc<dyn ModelCaller>, Fault> {
    context.environment().models.as_ref().ok_or_else(|| {
        Fault::new(Code::NoZookeeper, "no ZooKeeper is known to find models in; give -z HOST:PORT, or set $MAAS_ZK")
    })
}

fn as_map(endpoint: Endpoint) -> Value {
    let fixed = [("name", endpoint.name), ("version", endpoint.version), ("url", endpoint.url)];
    let fixed = fixed.into_iter().map(|(key, value)| (Value::text(key), Value::Text(value)));
    let functions = endpoint.functions.iter();
    let functions = functions.map(|(function, path)| (Value::Text(entry_of(function)), Value::text(path)));
    Value::Map(Map::new(MapKind::Hash, fixed.chain(functions)))
}

/// The key under which a function's path stands.
fn entry_of(function: &str) -> Text {
    let mut key = Text::const_new("endpoint:");
    key.push_str(function);
    key
}
