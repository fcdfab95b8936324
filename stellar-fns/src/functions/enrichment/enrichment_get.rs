//! `ENRICHMENT_GET`: what is known of an indicator.

use super::asked::{PARAMETERS, ask, asked};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives};
use crate::value::{Integers, Map, MapKind, Value, from_json};

/// See [`DOC`].
pub(crate) struct EnrichmentGet;

static DOC: Doc = Doc {
    name: "ENRICHMENT_GET",
    summary: "What is known of an indicator, from the store that stellar.enrichment.settings of global.json names.",
    parameters: PARAMETERS,
    returns: "a map; {} if nothing is known, if the type or indicator is null, and if the store can't be read, which is reported",
    examples: &[
        gives("MAP_GET('owner', ENRICHMENT_GET('whois', 'cnn.com', 'enrichment', 't'))", "'Turner'"),
        gives("ENRICHMENT_GET('whois', 'nobody.example', 'enrichment', 't')", "{}"),
        gives("ENRICHMENT_GET('whois', null, 'enrichment', 't')", "{}"),
        fails("ENRICHMENT_GET('whois', 'cnn.com')"),
    ],
    purity: Purity::Ambient,
};

impl Function for EnrichmentGet {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let found = match asked(arguments)? {
            Some((group, indicator)) => ask(DOC.name, context, |store| store.get(&group, indicator))?.flatten(),
            None => None,
        };
        let found = found.unwrap_or_default();
        context.spend_text(found.size)?;
        let entries = found.record.iter().map(|(key, value)| (Value::text(key), from_json(value, Integers::BySize)));
        Ok(Value::Map(Map::new(MapKind::Hash, entries)))
    }
}
