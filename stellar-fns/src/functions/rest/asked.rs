//! What REST_GET and REST_POST have in common: urls, configurations, and what becomes of answers.

use std::sync::Arc;

use serde_json::Value as Json;
use url::Url;

use crate::error::{Code, Fault, shown};
use crate::function::{Arguments, Context, Outcome};
use crate::services::rest::{Exchange, Given, How, Method, RestCaller};
use crate::services::{self, Failure};
use crate::value::{Integers, Value, from_json};

/// Whoever asks web services for this evaluation. That nobody may be asked is an error of the expression.
pub(super) fn caller(context: &Context<'_>) -> Result<Arc<dyn RestCaller>, Fault> {
    let caller = context.environment().services.rest.as_ref().filter(|caller| !caller.settings().allowed.is_empty());
    caller.cloned().ok_or_else(|| {
        let message =
            "no host may be asked; list those that may in hosts.allowed of stellar.rest.settings in global.json";
        Fault::new(Code::Service, message)
    })
}

/// The url, with the parameters put into its query; one that is there already is replaced. A text that is no url is a failure as those of services are,
/// because it may come from the data.
pub(super) fn url(
    arguments: &Arguments<'_>,
    parameters: usize,
    context: &mut Context<'_>,
) -> Result<Result<Url, Failure>, Fault> {
    let mut url = match read(arguments.text(0)?) {
        Ok(url) => url,
        Err(failure) => return Ok(Err(failure)),
    };
    let Value::Map(given) = arguments.or_null(parameters) else {
        if arguments.or_null(parameters).is_null() {
            return Ok(Ok(url));
        }
        return Err(arguments.wrong(parameters, "a map"));
    };
    let given: Vec<(Value, Value)> = given.read().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    context.spend(given.len())?;
    for (key, value) in given {
        let (key, value) = (context.text_of(&key)?, context.text_of(&value)?);
        let others: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| *name != key.as_str())
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        url.query_pairs_mut().clear().extend_pairs(others).append_pair(&key, &value);
    }
    Ok(Ok(url))
}

fn read(text: &str) -> Result<Url, Failure> {
    let unreadable = |what: String| {
        let message = format!("{} {what}", shown(text));
        Failure { outcome: services::Outcome::Unreadable, about: "no url".to_owned(), message }
    };
    let url = Url::parse(text).map_err(|error| unreadable(format!("is no url: {error}")))?;
    match url.host_str() {
        None | Some("") => Err(unreadable("is a url without a host".to_owned())),
        Some(_) => Ok(url),
    }
}

/// How the request is made, and what an empty answer and a failure give.
pub(super) struct Config {
    pub(super) how: How,
    empty: Value,
    error: Value,
}

/// The configuration of a call, on top of that of global.json.
pub(super) fn config(
    arguments: &Arguments<'_>,
    index: usize,
    method: Method,
    caller: &dyn RestCaller,
    context: &mut Context<'_>,
) -> Result<Config, Fault> {
    let bad = |reason: String| Fault::argument(format!("argument {}: {reason}", index + 1));
    let value = arguments.or_null(index);
    context.spend_items(value)?;
    let given = match value {
        Value::Null => Given::default(),
        Value::Map(_) => match context.json_of(value, "the configuration is")? {
            Json::Object(object) => Given::read(&object).map_err(bad)?,
            _ => return Err(arguments.wrong(index, "a map")),
        },
        _ => return Err(arguments.wrong(index, "a map")),
    };
    let how = caller.settings().how(method, given).map_err(bad)?;
    // Values of the expression itself keep their types.
    let own = |key: &str, global: &Json| match value {
        Value::Map(map) => map.get_text(key).unwrap_or_else(|| from_json(global, Integers::BySize)),
        _ => from_json(global, Integers::BySize),
    };
    let (empty, error) = (own("empty.content.override", &how.empty), own("error.value.override", &how.error));
    Ok(Config { how, empty, error })
}

/// Gives what a call that failed gives, and reports it.
pub(super) fn failed(function: &'static str, failure: &Failure, config: Config, context: &Context<'_>) -> Value {
    context.environment().services.failed(function, failure);
    config.error
}

/// Asks, and gives what was answered.
pub(super) fn answer(
    function: &'static str,
    caller: Arc<dyn RestCaller>,
    exchange: Exchange,
    config: Config,
    context: &mut Context<'_>,
) -> Outcome {
    let about = exchange.url.host_str().unwrap_or_default().to_owned();
    let answered = context.ask(async move { caller.call(exchange).await })?;
    let read = answered.and_then(|body| {
        if body.is_empty() {
            return Ok(None);
        }
        let json = serde_json::from_slice::<Json>(&body).map_err(|error| {
            let message = format!("the answer of {about} is no JSON: {error}");
            Failure { outcome: services::Outcome::BadAnswer, about, message }
        });
        json.map(|json| Some((json, body.len())))
    });
    match read {
        Ok(Some((json, size))) => {
            context.spend_text(size)?;
            Ok(from_json(&json, Integers::BySize))
        }
        Ok(None) => Ok(config.empty),
        Err(failure) => Ok(failed(function, &failure, config, context)),
    }
}
