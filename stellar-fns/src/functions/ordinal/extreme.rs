//! The extreme of several values, for MAX and MIN.

use std::cmp::Ordering;

use crate::error::Fault;
use crate::function::{Arguments, Context, Outcome};
use crate::functions::statistics::Statistics;
use crate::value::{Value, boolean_of, double_of, float_of, int_of, long_of, order};

/// The item that is in this order to all others. Before each comparison what was found so far is converted to the next item's type; it keeps its own.
pub(super) fn extreme(arguments: &Arguments<'_>, context: &mut Context<'_>, wanted: Ordering) -> Outcome {
    if let Some(statistics) = arguments.or_null(0).as_object::<Statistics>() {
        context.spend(statistics.cost())?;
        return Ok(Value::Double(if wanted == Ordering::Less { statistics.min() } else { statistics.max() }));
    }
    let mut found = Value::Null;
    for item in arguments.list_or_set(0, context)?.into_iter().flatten() {
        context.spend(1)?;
        if item.is_null() {
            continue;
        }
        if found.is_null() {
            found = item;
            continue;
        }
        let converted = convert(&found, &item).ok_or_else(|| incomparable(&found, &item))?;
        if order(&item, &converted).ok_or_else(|| incomparable(&found, &item))? == Some(wanted) {
            found = item;
        }
    }
    // A single item must be comparable too.
    if order(&found, &found).is_none() && !found.is_null() {
        return Err(incomparable(&found, &found));
    }
    Ok(found)
}

fn convert(value: &Value, like: &Value) -> Option<Value> {
    match like {
        Value::Text(_) => Some(Value::text(value.to_string())),
        Value::Bool(_) => Some(Value::Bool(boolean_of(value))),
        Value::Int(_) => int_of(value).map(Value::Int),
        Value::Long(_) => long_of(value).map(Value::Long),
        Value::Float(_) => float_of(value).map(Value::Float),
        Value::Double(_) => double_of(value).map(Value::Double),
        Value::Char(_) => matches!(value, Value::Char(_)).then(|| value.clone()),
        _ => None,
    }
}

fn incomparable(left: &Value, right: &Value) -> Fault {
    Fault::wrong_type(format!("{} and {} can't be compared", left.type_name(), right.type_name()))
}
