//! JSON to values; whole numbers become ints or longs by their size.

mod read;
mod to_json_list;
mod to_json_map;
mod to_json_object;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(to_json_list::ToJsonList),
    || Arc::new(to_json_map::ToJsonMap),
    || Arc::new(to_json_object::ToJsonObject),
];
