//! `FUZZY_LANGS`: the languages that FUZZY_SCORE accepts.

use super::languages::TAGS;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct FuzzyLangs;

static DOC: Doc = Doc {
    name: "FUZZY_LANGS",
    summary: "The languages that FUZZY_SCORE accepts.",
    parameters: &[],
    returns: "a list of BCP 47 tags",
    examples: &[gives("'en' in FUZZY_LANGS()", "true"), gives("'Kling' in FUZZY_LANGS()", "false")],
    purity: Purity::Pure,
};

impl Function for FuzzyLangs {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, _: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        context.spend(TAGS.len())?;
        Ok(Value::list(TAGS.iter().map(Value::text)))
    }
}
