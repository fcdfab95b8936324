//! `URL_TO_PATH`: the path of a URL with its slash and without its query.

use super::location::Location;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct UrlToPath;

static DOC: Doc = Doc {
    name: "URL_TO_PATH",
    summary: "The path of a URL with its slash and without its query.",
    parameters: &[needs("url", "the URL")],
    returns: "a text; null for null and for what is no URL",
    examples: &[
        gives("URL_TO_PATH('http://www.yahoo.com/foo/bar?q=1#top')", "'/foo/bar'"),
        gives("URL_TO_PATH('http://www.yahoo.com')", "''"),
    ],
    purity: Purity::Pure,
};

impl Function for UrlToPath {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Some(url) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        Ok(Location::parse(url).map(|location| location.path()).into())
    }
}
