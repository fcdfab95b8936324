//! `ENRICHMENT_EXISTS`: whether anything is known of an indicator.

use super::asked::{PARAMETERS, ask, asked};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct EnrichmentExists;

static DOC: Doc = Doc {
    name: "ENRICHMENT_EXISTS",
    summary: "Whether anything is known of an indicator, in the store that stellar.enrichment.settings of global.json names.",
    parameters: PARAMETERS,
    returns: "true or false; false if an argument is null, and if the store can't be read, which is reported",
    examples: &[
        gives("ENRICHMENT_EXISTS('whois', 'cnn.com', 'enrichment', 't')", "true"),
        gives("ENRICHMENT_EXISTS('malicious_ip', 'cnn.com', 'threat_intel', 't')", "false"),
        gives("ENRICHMENT_EXISTS('whois', null, 'enrichment', 't')", "false"),
        fails("ENRICHMENT_EXISTS('whois', 'cnn.com')"),
    ],
    purity: Purity::Ambient,
};

impl Function for EnrichmentExists {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let found = match asked(arguments)? {
            Some((group, indicator)) => ask(DOC.name, context, |store| store.exists(&group, indicator))?,
            None => None,
        };
        Ok(Value::from(found.unwrap_or(false)))
    }
}
