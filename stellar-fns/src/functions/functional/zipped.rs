//! Zipping, for ZIP and ZIP_LONGEST.

use crate::function::{Arguments, Context, Outcome};
use crate::value::Value;

/// Rows of the lists among the arguments; `rows` chooses their number among the lengths.
pub(super) fn zip(
    arguments: &Arguments<'_>,
    context: &mut Context<'_>,
    rows: impl FnOnce(&mut dyn Iterator<Item = usize>) -> Option<usize>,
) -> Outcome {
    for list in arguments.iter() {
        context.spend_items(list)?;
    }
    let lists: Vec<Vec<Value>> = arguments
        .iter()
        .filter_map(|value| if let Value::List(list) = value { Some(list.items()) } else { None })
        .collect();
    let rows = rows(&mut lists.iter().map(Vec::len)).unwrap_or(0);
    context.spend(rows.saturating_mul(lists.len()))?;
    Ok(Value::list(
        (0..rows).map(|row| Value::list(lists.iter().map(|list| list.get(row).cloned().unwrap_or_default()))),
    ))
}
