//! Bloom filters: sets that answer membership with a small chance of a false yes.

mod bloom_add;
mod bloom_exists;
mod bloom_init;
mod bloom_merge;
mod filter;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(bloom_add::BloomAdd),
    || Arc::new(bloom_exists::BloomExists),
    || Arc::new(bloom_init::BloomInit),
    || Arc::new(bloom_merge::BloomMerge),
];
