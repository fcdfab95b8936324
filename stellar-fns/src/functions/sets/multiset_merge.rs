//! `MULTISET_MERGE`: a new multiset with the counts of several added up.

use super::multiset::{add, empty};
use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct MultisetMerge;

static DOC: Doc = Doc {
    name: "MULTISET_MERGE",
    summary: "A new multiset with the counts of several added up.",
    parameters: &[takes("multisets", "a list of multisets; nulls in it are skipped")],
    returns: "a map",
    examples: &[
        gives("MULTISET_MERGE([MULTISET_INIT([1, 2]), MULTISET_INIT([2])])", "{1 : 1, 2 : 2}"),
        fails("MULTISET_MERGE({'a' : 1})"),
    ],
    purity: Purity::Pure,
};

impl Function for MultisetMerge {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let merged = empty();
        if arguments.is_empty() {
            return Ok(Value::Map(merged));
        }
        for item in arguments.list_or_set(0, context)?.into_iter().flatten() {
            let map = match item {
                Value::Null => continue,
                Value::Map(map) => map,
                other => {
                    return Err(Fault::wrong_type(format!(
                        "the list holds a {}, not only multisets",
                        other.type_name()
                    )));
                }
            };
            context.spend(map.len())?;
            // Copied, so that nothing is locked while the other map is changed.
            let entries: Vec<_> = map.read().iter().map(|(item, count)| (item.clone(), count.clone())).collect();
            for (item, count) in entries {
                let Value::Int(count) = count else {
                    return Err(Fault::wrong_type("a count is no int; this map is no multiset"));
                };
                context.spend_key(&item)?;
                add(&merged, item, count)?;
            }
        }
        Ok(Value::Map(merged))
    }
}
