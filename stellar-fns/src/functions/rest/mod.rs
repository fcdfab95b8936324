//! Asking web services.

mod asked;
mod rest_get;
mod rest_post;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] =
    &[|| Arc::new(rest_get::RestGet), || Arc::new(rest_post::RestPost)];
