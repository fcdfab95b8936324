//! Samples: some of the values of a stream, each with the same chance.

mod sample_add;
mod sample_get;
mod sample_init;
mod sample_merge;
mod sampler;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(sample_add::SampleAdd),
    || Arc::new(sample_get::SampleGet),
    || Arc::new(sample_init::SampleInit),
    || Arc::new(sample_merge::SampleMerge),
];
