//! `FUZZY_LANGS`: the languages that FUZZY_SCORE knows.

use super::languages::LANGUAGES;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct FuzzyLangs;

static DOC: Doc = Doc {
    name: "FUZZY_LANGS",
    summary: "The languages that FUZZY_SCORE knows.",
    parameters: &[],
    returns: "a list of BCP 47 tags",
    examples: &[gives("'fr' in FUZZY_LANGS()", "true")],
    purity: Purity::Pure,
};

impl Function for FuzzyLangs {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, _: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        Ok(Value::list(LANGUAGES.iter().map(Value::text)))
    }
}
