//! `DOMAIN_TYPOSQUAT`: names that look like a domain's first label or are a slip of the finger away from it.

use super::variants::variants;
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::{Set, Value};

/// See [`DOC`].
pub(crate) struct DomainTyposquat;

static DOC: Doc = Doc {
    name: "DOMAIN_TYPOSQUAT",
    summary: "Names that look like a domain's first label or are a slip of the finger away from it.",
    parameters: &[needs("domain", "a domain name, best without its suffix")],
    returns: "a set of texts; null for null",
    examples: &[
        gives("'gogle' in DOMAIN_TYPOSQUAT('google')", "true"),
        gives("'google' in DOMAIN_TYPOSQUAT('google')", "false"),
        gives("DOMAIN_TYPOSQUAT(null)", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for DomainTyposquat {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let Some(domain) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        let label = domain.split('.').next().unwrap_or_default();
        if label.chars().count() > 63 {
            return Err(Fault::argument("a label has at most 63 characters"));
        }
        let variants = variants(&label.to_lowercase());
        context.spend(variants.len())?;
        Ok(Value::Set(Set::new(variants.into_iter().map(Value::from))))
    }
}
