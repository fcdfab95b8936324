//! What databases of addresses say.

mod answer;
mod asn_get;
mod geo_get;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[|| Arc::new(asn_get::AsnGet), || Arc::new(geo_get::GeoGet)];
