//! `URL_TO_PROTOCOL`: the protocol of a URL.

use super::location::Location;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct UrlToProtocol;

static DOC: Doc = Doc {
    name: "URL_TO_PROTOCOL",
    summary: "The protocol of a URL.",
    parameters: &[needs("url", "the URL")],
    returns: "a text; null for null and for what is no URL",
    examples: &[
        gives("URL_TO_PROTOCOL('HTTP://www.yahoo.com')", "'http'"),
        gives("URL_TO_PROTOCOL('gopher://x')", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for UrlToProtocol {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Some(url) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        Ok(Location::parse(url).map(|location| location.protocol).into())
    }
}
