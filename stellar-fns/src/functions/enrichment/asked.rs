//! The arguments that ENRICHMENT_GET and ENRICHMENT_EXISTS have in common, and what becomes of failures.

use crate::error::{Code, Fault};
use crate::function::{Arguments, Context, Parameter, needs};
use crate::services::enrichment::{EnrichmentStore, Error, Group};
use crate::services::{Failure, Outcome};

/// The parameters of both.
pub(super) const PARAMETERS: &[Parameter] = &[
    needs("type", "what kind of thing is known, as it was named when it was loaded"),
    needs("indicator", "the text that is looked up"),
    needs("nosqltable", "the table"),
    needs("columnfamily", "its column family"),
];

/// Where to look and for what; none where one of them is null.
pub(super) fn asked<'a>(arguments: &Arguments<'a>) -> Result<Option<(Group, &'a str)>, Fault> {
    arguments.expect(4, 4)?;
    let mut texts = [""; 4];
    let mut all = true;
    for (index, text) in texts.iter_mut().enumerate() {
        match arguments.nullable_text(index)? {
            Some(given) => *text = given,
            None => all = false,
        }
    }
    let [kind, indicator, table, family] = texts;
    let group = Group { table: table.into(), family: family.into(), kind: kind.into() };
    Ok(all.then_some((group, indicator)))
}

/// The answer of a store; none where there is none because it failed, which is told. No store at all is an error of the expression.
pub(super) fn ask<T>(
    function: &'static str,
    context: &Context<'_>,
    ask: impl FnOnce(&dyn EnrichmentStore) -> Result<T, Error>,
) -> Result<Option<T>, Fault> {
    let services = &context.environment().services;
    let Some(store) = &services.enrichment else {
        let message = "no enrichment store is known; set store in stellar.enrichment.settings of global.json to the file that stellar enrichment load writes";
        return Err(Fault::new(Code::Service, message));
    };
    let answer = ask(&**store);
    for error in store.trouble().iter().chain(answer.as_ref().err()) {
        let outcome = match error {
            Error::Damaged { .. } => Outcome::BadAnswer,
            _ => Outcome::Unreadable,
        };
        services.failed(function, &Failure { outcome, about: format!("{store:?}"), message: error.to_string() });
    }
    Ok(answer.ok())
}
