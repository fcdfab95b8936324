//! `DOMAIN_REMOVE_SUBDOMAINS`: the registered part of a domain name: one label and the public suffix.

use super::domain::Domain;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct DomainRemoveSubdomains;

static DOC: Doc = Doc {
    name: "DOMAIN_REMOVE_SUBDOMAINS",
    summary: "The registered part of a domain name: one label and the public suffix.",
    parameters: &[needs("domain", "a domain name")],
    returns: "a text; the name itself for a bare suffix; null for null and for what is no domain name",
    examples: &[
        gives("DOMAIN_REMOVE_SUBDOMAINS('mail.yahoo.co.uk')", "'yahoo.co.uk'"),
        gives("DOMAIN_REMOVE_SUBDOMAINS('www.cnn.com.')", "'cnn.com'"),
        gives("DOMAIN_REMOVE_SUBDOMAINS('WWW.Yahoo.CO.UK')", "'Yahoo.co.uk'"),
        gives("DOMAIN_REMOVE_SUBDOMAINS('com')", "'com'"),
        gives("DOMAIN_REMOVE_SUBDOMAINS('10.0.0.1')", "null"),
    ],
    purity: Purity::Pure,
};

impl Function for DomainRemoveSubdomains {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        Ok(Domain::parse(text).map_or(Value::Null, |domain| Value::Text(domain.registered())))
    }
}
