//! `IS_DOMAIN`: whether values are domain names below a known top level domain.

use super::every::every;
use super::place::is_domain;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct IsDomain;

static DOC: Doc = Doc {
    name: "IS_DOMAIN",
    summary: "Whether values are domain names below a known top level domain.",
    parameters: &[needs("values…", "any values, by their text form")],
    returns: "a boolean; false for null",
    examples: &[
        gives("IS_DOMAIN('www.hotmail.co.uk')", "true"),
        gives("IS_DOMAIN('caseystella.turtle')", "false"),
        gives("IS_DOMAIN('localhost')", "false"),
    ],
    purity: Purity::Pure,
};

impl Function for IsDomain {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        every(arguments, context, is_domain)
    }
}
