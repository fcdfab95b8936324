//! Conversions as commons-beanutils does them: what doesn't fit is null.

mod to_double;
mod to_float;
mod to_integer;
mod to_long;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(to_double::ToDouble),
    || Arc::new(to_float::ToFloat),
    || Arc::new(to_integer::ToInteger),
    || Arc::new(to_long::ToLong),
];
