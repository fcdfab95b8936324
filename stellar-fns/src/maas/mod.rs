//! MAAS_GET_ENDPOINT and MAAS_MODEL_APPLY: expressions find models and call them.
//!
//! The functions know only [`ModelCaller`], which the environment of an evaluation brings; [`Models`] is the real one, over `maas_client`. How its answers are
//! waited for is the affair of [`asking`](crate::asking), what they mean that of the expression.

mod caller;
#[cfg(test)]
mod fake;
mod get_endpoint;
mod model_apply;
mod models;
mod reports;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::function::Function;

pub use caller::{Answer, Endpoint, Failure, ModelCall, ModelCaller};
#[cfg(test)]
pub(crate) use fake::OneModel;
pub use maas_client::call::Outcome;
pub use models::Models;
pub use reports::{Logged, Report};
pub use settings::Settings;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] =
    &[|| Arc::new(get_endpoint::MaasGetEndpoint), || Arc::new(model_apply::MaasModelApply)];
