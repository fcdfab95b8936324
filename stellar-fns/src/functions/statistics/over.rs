//! Asking one number of statistics.

use crate::error::Fault;
use crate::function::{Arguments, Outcome};
use crate::value::Value;

use super::state::{Statistics, Summary};

/// What is asked of the first argument; NaN for null.
pub(super) fn over(arguments: &Arguments<'_>, ask: impl FnOnce(&Summary) -> Result<f64, Fault>) -> Outcome {
    match arguments.at(0)? {
        Value::Null => Ok(Value::Double(f64::NAN)),
        value => {
            let statistics = value.as_object::<Statistics>().ok_or_else(|| arguments.wrong(0, "statistics"))?;
            statistics.with(ask).map(Value::Double)
        }
    }
}
