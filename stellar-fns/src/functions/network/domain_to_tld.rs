//! `DOMAIN_TO_TLD`: the public suffix of a domain name, or what follows its last dot.

use super::domain::Domain;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct DomainToTld;

static DOC: Doc = Doc {
    name: "DOMAIN_TO_TLD",
    summary: "The public suffix of a domain name, or what follows its last dot.",
    parameters: &[needs("domain", "a domain name; other values count by their text form")],
    returns: "a text",
    examples: &[
        gives("DOMAIN_TO_TLD('mail.yahoo.co.uk')", "'co.uk'"),
        gives("DOMAIN_TO_TLD('a.b.nosuchtld')", "'nosuchtld'"),
        gives("DOMAIN_TO_TLD('www.cnn.com.')", "'com'"),
        gives("DOMAIN_TO_TLD(null)", "'null'"),
    ],
    purity: Purity::Pure,
};

impl Function for DomainToTld {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let value = arguments.at(0)?;
        if let Value::Text(text) = value {
            return Ok(Value::text(suffix(text)));
        }
        let text = context.text_of(value)?;
        Ok(Value::text(last_label(&text)))
    }
}

fn suffix(text: &str) -> &str {
    Domain::parse(text).and_then(|domain| domain.public_suffix()).unwrap_or_else(|| last_label(text))
}

fn last_label(text: &str) -> &str {
    text.rsplit('.').next().unwrap_or(text)
}
