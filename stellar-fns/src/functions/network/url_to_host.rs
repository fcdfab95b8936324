//! `URL_TO_HOST`: the host of a URL.

use super::location::Location;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct UrlToHost;

static DOC: Doc = Doc {
    name: "URL_TO_HOST",
    summary: "The host of a URL.",
    parameters: &[needs("url", "the URL")],
    returns: "a text; null for null and for what is no URL",
    examples: &[
        gives("URL_TO_HOST('http://www.yahoo.com:8080/foo')", "'www.yahoo.com'"),
        gives("URL_TO_HOST('www.yahoo.com')", "null"),
        fails("URL_TO_HOST(123)"),
    ],
    purity: Purity::Pure,
};

impl Function for UrlToHost {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Some(url) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        Ok(Location::parse(url).map(|location| location.host).into())
    }
}
