//! What expressions may ask beside models: settings of the process, databases of addresses, enrichments, web services, objects.
//!
//! [`Services`] are made from global.json and travel in the environment of an evaluation. The functions that ask them lie below `functions`; what they
//! could not get they [`report`] before the expression sees null.

#[cfg(feature = "enrichment")]
pub mod enrichment;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(feature = "geo")]
pub mod geo;
#[cfg(feature = "object")]
pub mod object;
mod provided;
#[cfg(any(feature = "services", feature = "maas"))]
pub(crate) mod quiet;
pub mod report;
#[cfg(feature = "rest")]
pub mod rest;
pub mod settings;
pub mod system;
#[cfg(any(feature = "geo", feature = "enrichment"))]
mod watched;

pub use provided::Services;
pub use report::{Failure, Outcome, Report};
pub use settings::SettingsError;
