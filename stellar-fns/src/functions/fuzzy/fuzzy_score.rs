//! `FUZZY_SCORE`: how well a query fits a term.

use super::languages::{is_known, lower_case};
use crate::error::{Fault, shown};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct FuzzyScore;

static DOC: Doc = Doc {
    name: "FUZZY_SCORE",
    summary: "How well a query fits a term: a point for each of its characters found in order, two more for each that follows the one before at once.",
    parameters: &[
        needs("term", "the text to look in"),
        needs("query", "the text to look for; case does not matter"),
        needs("language", "whose upper and lower case counts, one of FUZZY_LANGS()"),
    ],
    returns: "an int; 0 if one of them is no text",
    examples: &[
        gives("FUZZY_SCORE('metron', 'm', 'en')", "1"),
        gives("FUZZY_SCORE('metron', 'MTR', 'en')", "5"),
        gives("FUZZY_SCORE('metron', 'metron', 'en')", "16"),
        gives("FUZZY_SCORE('Apache Software Foundation', 'asf', 'en')", "3"),
        gives("FUZZY_SCORE('', 'm', 'en')", "0"),
        gives("FUZZY_SCORE(null, null, null)", "0"),
        fails("FUZZY_SCORE('metron', 'm', 'Kling')"),
        fails("FUZZY_SCORE('metron', 'm')"),
    ],
    purity: Purity::Pure,
};

impl Function for FuzzyScore {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let texts = (arguments.at(0)?.as_text(), arguments.at(1)?.as_text(), arguments.at(2)?.as_text());
        let (Some(term), Some(query), Some(language)) = texts else { return Ok(Value::Int(0)) };
        if !is_known(language) {
            return Err(Fault::argument(format!("no language {}; FUZZY_LANGS() lists them", shown(language))));
        }
        context.spend((term.len() + query.len()) / 16)?;
        Ok(Value::Int(score(&lower_case(term, language), &lower_case(query, language))))
    }
}

/// Looks for each character of the query behind where the one before was found. One that isn't there ends the search.
fn score(term: &str, query: &str) -> i32 {
    let mut rest = term.encode_utf16().enumerate();
    let mut score = 0;
    let mut next_to_last = None;
    for wanted in query.encode_utf16() {
        let Some((place, _)) = rest.find(|(_, unit)| *unit == wanted) else { break };
        score += if next_to_last == Some(place) { 3 } else { 1 };
        next_to_last = Some(place + 1);
    }
    score
}
