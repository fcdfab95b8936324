//! The least and the greatest of several values.

mod extreme;
mod max;
mod min;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[|| Arc::new(max::Max), || Arc::new(min::Min)];
