//! Functions that take functions: lambdas such as `x -> x + 1`.

mod filter;
mod map;
mod reduce;
mod zip;
mod zip_longest;
mod zipped;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(filter::Filter),
    || Arc::new(map::Map),
    || Arc::new(reduce::Reduce),
    || Arc::new(zip::Zip),
    || Arc::new(zip_longest::ZipLongest),
];
