//! `SET_MERGE`: a new set with the items of several lists or sets.

use crate::error::Fault;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, takes};
use crate::value::{Set, Value};

/// See [`DOC`].
pub(crate) struct SetMerge;

static DOC: Doc = Doc {
    name: "SET_MERGE",
    summary: "A new set with the items of several lists or sets.",
    parameters: &[takes("sets", "a list of lists or sets; nulls in it are skipped")],
    returns: "a set",
    examples: &[gives("SET_MERGE([SET_INIT([1]), [2, 1], null])", "SET_INIT([1, 2])"), fails("SET_MERGE({'a' : 1})")],
    purity: Purity::Pure,
};

impl Function for SetMerge {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let merged = Set::new([]);
        if arguments.is_empty() {
            return Ok(Value::Set(merged));
        }
        for items in arguments.list_or_set(0, context)?.into_iter().flatten() {
            let items = match &items {
                Value::Null => continue,
                Value::List(list) => list.items(),
                Value::Set(set) => set.items(),
                other => {
                    return Err(Fault::wrong_type(format!(
                        "the list holds a {}, not only lists and sets",
                        other.type_name()
                    )));
                }
            };
            context.spend(items.len())?;
            context.spend_keys(&items)?;
            for item in items {
                merged.insert(item);
            }
        }
        Ok(Value::Set(merged))
    }
}
