//! Digests, and the locality sensitive hash TLSH.

mod charset;
mod digests;
mod get_hashes_available;
mod hash;
mod tlsh;
mod tlsh_dist;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] =
    &[|| Arc::new(get_hashes_available::GetHashesAvailable), || Arc::new(hash::Hash), || Arc::new(tlsh_dist::TlshDist)];
