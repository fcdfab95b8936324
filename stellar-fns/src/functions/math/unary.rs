//! Functions of one number.

use crate::function::{Arguments, Outcome};
use crate::value::Value;

/// The function's value at the first argument; null and no argument are NaN.
pub(super) fn unary(arguments: &Arguments<'_>, function: fn(f64) -> f64) -> Outcome {
    Ok(Value::Double(function(arguments.double_or_nan(0)?)))
}
