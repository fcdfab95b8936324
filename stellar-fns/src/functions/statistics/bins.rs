//! Bins between bounds.

use crate::error::Fault;
use crate::value::Value;

use super::state::numbers;

/// The index of the first bound that isn't below the value; their number if all are.
pub(super) fn bin(value: f64, bounds: &[f64]) -> i32 {
    let index = bounds.iter().position(|bound| value <= *bound).unwrap_or(bounds.len());
    i32::try_from(index).unwrap_or(i32::MAX)
}

/// The percentiles that a list or a name gives.
pub(super) fn percentiles(bounds: &Value) -> Result<Vec<f64>, Fault> {
    let parts = match bounds {
        Value::Null => 4,
        Value::Text(name) => match name.to_ascii_uppercase().as_str() {
            "QUARTILE" => 4,
            "QUINTILE" => 5,
            "DECILE" => 10,
            _ => {
                return Err(Fault::argument(format!(
                    "no bounds {name:?}; there are QUARTILE, QUINTILE, DECILE, or a list of percentiles"
                )));
            }
        },
        bounds => return numbers(bounds),
    };
    Ok((1..parts).map(|part| f64::from(part) * 100.0 / f64::from(parts)).collect())
}
