//! `LIST_ADD`: a list with an item added at its end, in place.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, gives, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct ListAdd;

static DOC: Doc = Doc {
    name: "LIST_ADD",
    summary: "A list with an item added at its end, in place.",
    parameters: &[takes("list", "the list"), takes("item", "the item")],
    returns: "the list; a first argument that is no list is given back",
    examples: &[gives("LIST_ADD([1], 2)", "[1, 2]"), gives("LIST_ADD([])", "[]"), gives("LIST_ADD('a', 2)", "'a'")],
    purity: Purity::Pure,
};

impl Function for ListAdd {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let first = arguments.or_null(0);
        if let (Value::List(list), Some(item)) = (first, arguments.get(1)) {
            let _turn = context.check_circle(item, first)?;
            list.push(item.clone());
        }
        Ok(first.clone())
    }
}
