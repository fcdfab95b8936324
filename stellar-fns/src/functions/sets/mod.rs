//! Sets, which keep the order of insertion, and multisets, which are maps from item to count.

mod changeable;
mod multiset;
mod multiset_add;
mod multiset_init;
mod multiset_merge;
mod multiset_remove;
mod multiset_to_set;
mod set_add;
mod set_init;
mod set_merge;
mod set_remove;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(multiset_add::MultisetAdd),
    || Arc::new(multiset_init::MultisetInit),
    || Arc::new(multiset_merge::MultisetMerge),
    || Arc::new(multiset_remove::MultisetRemove),
    || Arc::new(multiset_to_set::MultisetToSet),
    || Arc::new(set_add::SetAdd),
    || Arc::new(set_init::SetInit),
    || Arc::new(set_merge::SetMerge),
    || Arc::new(set_remove::SetRemove),
];
