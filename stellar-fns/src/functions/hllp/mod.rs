//! Estimates of how many different items there were, in bounded space: HyperLogLog++.

mod hllp_add;
mod hllp_cardinality;
mod hllp_init;
mod hllp_merge;
mod murmur;
mod sketch;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(hllp_add::HllpAdd),
    || Arc::new(hllp_cardinality::HllpCardinality),
    || Arc::new(hllp_init::HllpInit),
    || Arc::new(hllp_merge::HllpMerge),
];
