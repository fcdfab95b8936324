//! The small world in which the examples of the reference run.

use std::sync::Arc;

use super::{Failure, Report, Services};

/// Says nothing: examples show what failures give.
#[derive(Debug)]
struct Unheard;

impl Report for Unheard {
    fn failed(&self, _: &'static str, _: &Failure) {}
}

/// Services that know what the examples ask for.
pub(crate) fn services() -> Services {
    let globals = serde_json::json!({
        "stellar.system.settings": {"env.allowed": ["CARGO_PKG_NAME"], "properties": {"site": "berlin"}},
        "stellar.rest.settings": {"hosts.allowed": ["api.example"]},
    });
    let globals = globals.as_object().cloned().unwrap_or_default();
    let services = Services::from_globals(&globals, Arc::new(Unheard)).unwrap();
    Services {
        #[cfg(feature = "geo")]
        geo: super::geo::fixture(),
        #[cfg(feature = "enrichment")]
        enrichment: Some(Arc::new(super::enrichment::known())),
        #[cfg(feature = "rest")]
        rest: services.rest.map(|caller| Arc::new(super::rest::Echo(caller.settings().clone())) as _),
        #[cfg(feature = "object")]
        objects: Some(super::object::fixture()),
        ..services
    }
}
