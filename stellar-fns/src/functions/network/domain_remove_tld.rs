//! `DOMAIN_REMOVE_TLD`: a domain name without its public suffix.

use super::domain::Domain;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct DomainRemoveTld;

static DOC: Doc = Doc {
    name: "DOMAIN_REMOVE_TLD",
    summary: "A domain name without its public suffix.",
    parameters: &[needs("domain", "a domain name")],
    returns: "a text; empty for a bare suffix; null for null and for what is no domain name",
    examples: &[
        gives("DOMAIN_REMOVE_TLD('mail.yahoo.co.uk')", "'mail.yahoo'"),
        gives("DOMAIN_REMOVE_TLD('www.cnn.com.')", "'www.cnn'"),
        gives("DOMAIN_REMOVE_TLD('com')", "''"),
        gives("DOMAIN_REMOVE_TLD('not a domain')", "null"),
        fails("DOMAIN_REMOVE_TLD(1)"),
    ],
    purity: Purity::Pure,
};

impl Function for DomainRemoveTld {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        Ok(Domain::parse(text).map(|domain| domain.before_suffix()).into())
    }
}
