//! `IS_EMAIL`: whether values are e-mail addresses below a known top level domain.

use super::every::every;
use super::mail::is_email;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};

/// See [`DOC`].
pub(crate) struct IsEmail;

static DOC: Doc = Doc {
    name: "IS_EMAIL",
    summary: "Whether values are e-mail addresses below a known top level domain.",
    parameters: &[needs("values…", "any values, by their text form")],
    returns: "a boolean; false for null",
    examples: &[
        gives("IS_EMAIL('me@caseystella.com')", "true"),
        gives("IS_EMAIL('me@caseystella')", "false"),
        gives("IS_EMAIL('')", "false"),
    ],
    purity: Purity::Pure,
};

impl Function for IsEmail {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        every(arguments, context, is_email)
    }
}
