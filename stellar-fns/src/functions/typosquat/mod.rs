//! Names that are easily taken for another.

mod domain_typosquat;
mod variants;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[|| Arc::new(domain_typosquat::DomainTyposquat)];
