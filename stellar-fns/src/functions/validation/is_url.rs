//! `IS_URL`: whether values are http, https or ftp URLs of a host below a known top level domain.

use super::every::every;
use super::place::is_url;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct IsUrl;

static DOC: Doc = Doc {
    name: "IS_URL",
    summary: "Whether values are http, https or ftp URLs of a host below a known top level domain.",
    parameters: &[needs("values…", "any values, by their text form")],
    returns: "a boolean; false for null",
    examples: &[
        gives("IS_URL('http://www.hotmail.co.uk/a?b=c')", "true"),
        gives("IS_URL('http://localhost/')", "false"),
        gives("IS_URL('foo')", "false"),
    ],
    purity: Purity::Pure,
};

impl Function for IsUrl {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        every(arguments, context, is_url)
    }
}
