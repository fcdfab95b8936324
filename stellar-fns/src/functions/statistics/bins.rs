//! Which bin a value falls into, for BIN and STATS_BIN.

use crate::error::Fault;
use crate::value::Value;

/// The number of the first bound that is not below the value, or the number of bounds. Bounds are asked for one by one and must not decrease.
pub(super) fn bin_of(
    value: f64,
    bounds: &[Value],
    mut bound: impl FnMut(&Value) -> Result<f64, Fault>,
) -> Result<Value, Fault> {
    let mut last = f64::NEG_INFINITY;
    let mut bin = 0;
    for next in bounds {
        let next = bound(next)?;
        if last > next {
            return Err(Fault::argument(format!("bounds must not decrease, but {next} follows {last}")));
        }
        if value <= next {
            break;
        }
        last = next;
        bin += 1;
    }
    Ok(Value::Int(bin))
}

/// A bound as a double; only numbers are bounds.
pub(super) fn number(bound: &Value) -> Result<f64, Fault> {
    bound
        .as_number()
        .map(crate::value::Number::to_double)
        .ok_or_else(|| Fault::wrong_type(format!("a bound must be a number, not {}", bound.type_name())))
}
