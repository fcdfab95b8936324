//! What the process knows of its surroundings.

mod system_env_get;
mod system_property_get;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] =
    &[|| Arc::new(system_env_get::SystemEnvGet), || Arc::new(system_property_get::SystemPropertyGet)];
