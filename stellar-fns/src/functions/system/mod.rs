//! What the process knows of its surroundings.

mod system_env_get;
mod system_property_get;

use std::sync::Arc;

use crate::function::{Context, Function};
use crate::services::{Failure, Outcome};

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] =
    &[|| Arc::new(system_env_get::SystemEnvGet), || Arc::new(system_property_get::SystemPropertyGet)];

/// An environment variable; none if it isn't set, and if `env.allowed` does not list it, which is reported.
fn variable(function: &'static str, name: &str, context: &Context<'_>) -> Option<String> {
    let services = &context.environment().services;
    match services.system.allows(name) {
        Ok(()) => std::env::var(name).ok(),
        Err(message) => {
            services.failed(function, &Failure { outcome: Outcome::Refused, about: name.to_owned(), message });
            None
        }
    }
}
