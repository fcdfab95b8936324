//! `DOMAIN_TYPOSQUAT`: names that look like a name.

use super::candidates::WAYS;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::{Set, Value};

/// See [`DOC`].
pub(crate) struct DomainTyposquat;

static DOC: Doc = Doc {
    name: "DOMAIN_TYPOSQUAT",
    summary: "Names that look like a name: mistyped, imitated with similar letters, cut by a dot or a hyphen.",
    parameters: &[takes("domain", "a domain's name without subdomains and suffix, such as `amazon`")],
    returns: "a set of texts; null for null and without an argument",
    examples: &[
        gives("'amazom' in DOMAIN_TYPOSQUAT('amazon')", "true"),
        gives("'am.azon' in DOMAIN_TYPOSQUAT('amazon')", "true"),
        gives("'amazon' in DOMAIN_TYPOSQUAT('amazon')", "false"),
        gives("DOMAIN_TYPOSQUAT(null)", "null"),
        fails("DOMAIN_TYPOSQUAT(1)"),
    ],
    purity: Purity::Pure,
};

impl Function for DomainTyposquat {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        if arguments.is_empty() {
            return Ok(Value::Null);
        }
        let Some(name) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
        let candidates = Set::new([]);
        for way in WAYS {
            way(name, &mut |candidate| {
                context.spend_text(candidate.len())?;
                if candidate != name {
                    candidates.insert(Value::from(candidate));
                }
                Ok(())
            })?;
        }
        Ok(Value::Set(candidates))
    }
}
