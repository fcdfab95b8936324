//! The set that SET_ADD and SET_REMOVE change.

use crate::error::Fault;
use crate::function::Arguments;
use crate::value::{Set, Value};

/// The first argument as a set that may be changed; null is a new one.
pub(super) fn changeable(arguments: &Arguments<'_>) -> Result<Set, Fault> {
    match arguments.at(0)? {
        Value::Null => Ok(Set::new([])),
        Value::Set(set) => Ok(set.clone()),
        _ => Err(arguments.wrong(0, "a set")),
    }
}
