//! Functions on maps and lists.

mod is_empty;
mod list_add;
mod map_exists;
mod map_get;
mod map_merge;
mod map_put;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(is_empty::IsEmpty),
    || Arc::new(list_add::ListAdd),
    || Arc::new(map_exists::MapExists),
    || Arc::new(map_get::MapGet),
    || Arc::new(map_merge::MapMerge),
    || Arc::new(map_put::MapPut),
];
