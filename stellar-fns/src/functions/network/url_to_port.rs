//! `URL_TO_PORT`: the port of a URL, or that of its protocol.

use super::location::Location;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct UrlToPort;

static DOC: Doc = Doc {
    name: "URL_TO_PORT",
    summary: "The port of a URL, or that of its protocol.",
    parameters: &[needs("url", "the URL")],
    returns: "an int, -1 if the protocol has none; null for null and for what is no URL",
    examples: &[
        gives("URL_TO_PORT('https://www.yahoo.com/foo')", "443"),
        gives("URL_TO_PORT('http://www.yahoo.com:8080')", "8080"),
        gives("URL_TO_PORT('file:/tmp/a')", "-1"),
    ],
    purity: Purity::Pure,
};

impl Function for UrlToPort {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Some(url) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        Ok(Location::parse(url).map(|location| location.port).into())
    }
}
