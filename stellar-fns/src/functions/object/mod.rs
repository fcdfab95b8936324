//! Objects of a store.

mod object_get;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[|| Arc::new(object_get::ObjectGet)];
