//! `REST_POST`: what a web service says to data.

use serde_json::Value as Json;

use super::asked::{answer, caller, config, failed, url};
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::services::rest::{Exchange, Method};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct RestPost;

static DOC: Doc = Doc {
    name: "REST_POST",
    summary: "What a web service answers to POST, if hosts.allowed of stellar.rest.settings in global.json lists its host.",
    parameters: &[
        needs("url", "the service"),
        needs(
            "data",
            "what is sent: a map or list as JSON, anything else as text, which must be JSON unless enforce.json is false",
        ),
        takes("config", "a map of settings, on top of those of stellar.rest.settings and stellar.rest.post.settings"),
        takes("params", "a map of what is put into the query"),
    ],
    returns: "as with REST_GET",
    examples: &[
        gives("MAP_GET('posted', REST_POST('http://api.example/', {'a' : [1, 2.5]}))", "{'a' : [1, 2.5]}"),
        gives("MAP_GET('posted', REST_POST('http://api.example/', '[true]'))", "[true]"),
        fails("REST_POST('http://api.example/', 'no json')"),
        gives("MAP_GET('posted', REST_POST('http://api.example/', 'no json', {'enforce.json' : false}))", "null"),
    ],
    purity: Purity::Asking,
};

impl Function for RestPost {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(2, 4)?;
        let caller = caller(context)?;
        let url = url(arguments, 3, context)?;
        let config = config(arguments, 2, Method::Post, &*caller, context)?;
        let body = body(arguments.or_null(1), config.how.enforce_json, context)?;
        let url = match url {
            Ok(url) => url,
            Err(failure) => return Ok(failed(DOC.name, &failure, config, context)),
        };
        let exchange = Exchange { method: Method::Post, url, body, how: config.how.clone() };
        answer(DOC.name, caller, exchange, config, context)
    }
}

fn body(data: &Value, enforce_json: bool, context: &mut Context<'_>) -> Result<String, Fault> {
    match data {
        Value::Null => Ok(String::new()),
        Value::Map(_) | Value::List(_) => {
            context.spend_items(data)?;
            let json = context.json_of(data, "the data is")?.to_string();
            context.spend_text(json.len())?;
            Ok(json)
        }
        other => {
            let text = context.text_of(other)?;
            if enforce_json && serde_json::from_str::<Json>(&text).is_err() {
                return Err(Fault::argument("the data is no JSON; set enforce.json to false to send it all the same"));
            }
            Ok(text.as_str().to_owned())
        }
    }
}
