//! `MAAS_MODEL_APPLY`: a model's answer.

use serde_json::Value as Json;

use super::get_endpoint::models_of;
use super::{Answer, Failure, ModelCall};
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::value::{Integers, Map, MapKind, Text, Value, from_json};

/// See [`DOC`].
pub(super) struct MaasModelApply;

static DOC: Doc = Doc {
    name: "MAAS_MODEL_APPLY",
    summary: "A model's answer, from the endpoint that is given or another of the same version.",
    parameters: &[
        needs("endpoint", "what MAAS_GET_ENDPOINT gave"),
        takes("function", "the model's function; apply without it"),
        needs("arguments", "a map of what the model is given; values may be of any type"),
    ],
    returns: "the map that the model answered; null if it gave none, and the reason is reported",
    examples: &[
        gives("MAP_GET('is_malicious', MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {'host' : 'yahoo.com'}))", "'legit'"),
        gives(
            "MAP_GET('why', MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), 'explain', {'host' : 'yahoo.com'}))",
            "'known'",
        ),
        gives("MAAS_MODEL_APPLY(null, {'host' : 'yahoo.com'})", "null"),
        fails("MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'))"),
    ],
    purity: Purity::Asking,
};

impl Function for MaasModelApply {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(2, 3)?;
        let models = models_of(context)?;
        let answer = match asked(arguments, context)? {
            Ok(call) => match models.known_answer(&call) {
                Some(known) => Ok(known),
                None => {
                    let models = models.clone();
                    context.ask(async move { models.apply(call).await })?
                }
            },
            Err(failure) => Err(failure),
        };
        match answer {
            Ok(answer) => {
                context.spend_text(answer.size)?;
                Ok(given(&answer, models.detail()))
            }
            Err(failure) => {
                models.report(DOC.name, &failure);
                Ok(if models.detail() { refusal(&failure) } else { Value::Null })
            }
        }
    }
}

/// What the arguments ask for; a failure where they name no model, as when the endpoint is null.
fn asked(arguments: &Arguments<'_>, context: &mut Context<'_>) -> Result<Result<ModelCall, Failure>, Fault> {
    let Value::Map(endpoint) = arguments.or_null(0) else {
        let what = arguments.or_null(0).type_name();
        return Ok(Err(Failure::nothing_named(format!("the endpoint is {what}, not a map"))));
    };
    let function = match arguments.or_null(1) {
        Value::Text(function) => Some(function.clone()),
        _ => None,
    };
    let given = arguments.or_null(if function.is_some() || arguments.len() == 3 { 2 } else { 1 });
    let entry = |key: &str| endpoint.get_text(key).unwrap_or_default();
    let Some(name) = context.text_or_none(&entry("name"))? else {
        return Ok(Err(Failure::nothing_named("the endpoint has no name")));
    };
    let version = context.text_or_none(&entry("version"))?;
    let url = context.text_or_none(&entry("url"))?;
    let Value::Map(_) = given else {
        let message = format!("the arguments are {}, not a map", given.type_name());
        let outcome = super::Outcome::Refused;
        let (model, version) = (Some(name.into_string()), version.map(Text::into_string));
        return Ok(Err(Failure { outcome, model, version, message }));
    };
    context.spend_items(given)?;
    let Json::Object(arguments) = context.json_of(given, "the arguments are")? else {
        return Err(Fault::wrong_type("the arguments must be a map"));
    };
    Ok(Ok(ModelCall { name, version, url, function, arguments }))
}

fn given(answer: &Answer, detail: bool) -> Value {
    let entries = answer.value.iter().map(|(key, value)| (Value::text(key), from_json(value, Integers::BySize)));
    let map = Map::new(MapKind::Linked, entries);
    if detail {
        let milliseconds = i64::try_from(answer.latency.as_millis()).unwrap_or(i64::MAX);
        let origin = [
            ("model", Value::text(&answer.model)),
            ("version", Value::text(&answer.version)),
            ("instance", Value::text(&answer.instance)),
            ("url", Value::text(&answer.url)),
            ("latency_ms", Value::from(milliseconds)),
            ("cached", Value::from(answer.cached)),
        ];
        map.insert(Value::text("maas"), map_of(origin));
    }
    Value::Map(map)
}

fn refusal(failure: &Failure) -> Value {
    let reason = [("error", Value::text(failure.outcome.as_str())), ("message", Value::text(&failure.message))];
    map_of([("maas", map_of(reason))])
}

fn map_of<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(Map::new(MapKind::Linked, entries.into_iter().map(|(key, value)| (Value::text(key), value))))
}
