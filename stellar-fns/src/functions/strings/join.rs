//! `JOIN`: the text forms of items, one after the other with a delimiter between them. Nulls are left out.

use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs};
use crate::value::{Text, Value};

/// See [`DOC`].
pub(crate) struct Join;

static DOC: Doc = Doc {
    name: "JOIN",
    summary: "The text forms of items, one after the other with a delimiter between them. Nulls are left out.",
    parameters: &[needs("items", "a list or set"), needs("delimiter", "the text between the items")],
    returns: "a text",
    examples: &[gives("JOIN(['a', null, 1], ', ')", "'a, 1'"), gives("JOIN([], ',')", "''"), fails("JOIN(null, ',')")],
    purity: Purity::Pure,
};

impl Function for Join {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let items = arguments.list_or_set(0, context)?.ok_or_else(|| arguments.wrong(0, "a list or a set"))?;
        let delimiter = arguments.text(1)?;
        let mut joined = Text::default();
        for (index, item) in items.iter().filter(|item| !item.is_null()).enumerate() {
            let text = context.text_of(item)?;
            context.check_text(joined.len() + delimiter.len() + text.len())?;
            context.spend_text(delimiter.len() + text.len())?;
            if index > 0 {
                joined.push_str(delimiter);
            }
            joined.push_str(&text);
        }
        Ok(Value::Text(joined))
    }
}
