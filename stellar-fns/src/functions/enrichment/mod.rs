//! What the enrichment store knows.

mod asked;
mod enrichment_exists;
mod enrichment_get;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] =
    &[|| Arc::new(enrichment_exists::EnrichmentExists), || Arc::new(enrichment_get::EnrichmentGet)];
