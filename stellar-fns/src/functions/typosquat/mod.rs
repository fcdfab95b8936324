//! Names that look like another name, as impostors register them.

mod candidates;
mod domain_typosquat;
mod glyphs;
mod keys;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[|| Arc::new(domain_typosquat::DomainTyposquat)];
