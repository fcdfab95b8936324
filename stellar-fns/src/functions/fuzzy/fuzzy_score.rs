//! `FUZZY_SCORE`: how well a query's characters occur in a term in their order: a point for each, two more where one follows the one before.

use super::languages::LANGUAGES;
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct FuzzyScore;

static DOC: Doc = Doc {
    name: "FUZZY_SCORE",
    summary: "How well a query's characters occur in a term in their order: a point for each, two more where one follows the one before.",
    parameters: &[
        needs("term", "the text to look in"),
        needs("query", "the characters to look for"),
        needs("language", "a tag from FUZZY_LANGS"),
    ],
    returns: "an int; 0 for empty texts and for what is no text",
    examples: &[
        gives("FUZZY_SCORE('Apache Software Foundation', 'asf', 'en')", "3"),
        gives("FUZZY_SCORE('metron', 'metron', 'en')", "16"),
        gives("FUZZY_SCORE('', 'm', 'en')", "0"),
        fails("FUZZY_SCORE('metron', 'm', 'nowhere')"),
    ],
    purity: Purity::Pure,
};

impl Function for FuzzyScore {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        arguments.expect(3, 3)?;
        let language = arguments.text(2)?;
        if !LANGUAGES.contains(&language) {
            return Err(Fault::argument(format!("no language {language:?}; FUZZY_LANGS lists them")));
        }
        let (Some(term), Some(query)) = (arguments.or_null(0).as_text(), arguments.or_null(1).as_text()) else {
            return Ok(Value::Int(0));
        };
        context.spend(term.len() + query.len())?;
        Ok(Value::Int(score(&term.to_lowercase(), &query.to_lowercase())))
    }
}

fn score(term: &str, query: &str) -> i32 {
    let mut score = 0;
    let mut term = term.encode_utf16().enumerate();
    let mut before = None;
    for wanted in query.encode_utf16() {
        let Some((index, _)) = term.find(|(_, unit)| *unit == wanted) else { break };
        score += if before.is_some_and(|before| before + 1 == index) { 3 } else { 1 };
        before = Some(index);
    }
    score
}
