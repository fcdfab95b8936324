//! `DOMAIN_TO_TLD`: the public suffix of a domain name, or what follows its last dot.

use super::domain::Domain;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct DomainToTld;

static DOC: Doc = Doc {
    name: "DOMAIN_TO_TLD",
    summary: "The public suffix of a domain name, or what follows its last dot.",
    parameters: &[needs("domain", "a domain name")],
    returns: "a text",
    examples: &[
        gives("DOMAIN_TO_TLD('mail.yahoo.co.uk')", "'co.uk'"),
        gives("DOMAIN_TO_TLD('a.b.nosuchtld')", "'nosuchtld'"),
        gives("DOMAIN_TO_TLD('www.cnn.com.')", "'com'"),
        gives("DOMAIN_TO_TLD('WWW.CNN.COM')", "'com'"),
        gives("DOMAIN_TO_TLD(null)", "'null'"),
        fails("DOMAIN_TO_TLD(5)"),
    ],
    purity: Purity::Pure,
};

impl Function for DomainToTld {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        // The text of null is an oddity of the original that is kept.
        let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::text("null")) };
        let known = Domain::parse(text).and_then(|domain| domain.public_suffix());
        Ok(known.map_or_else(|| Value::text(last_label(text)), Value::Text))
    }
}

fn last_label(text: &str) -> &str {
    text.rsplit('.').next().unwrap_or(text)
}
