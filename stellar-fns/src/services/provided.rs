//! All services of a process, as its global configuration sets them up.

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use super::report::{Failure, Report};
use super::settings::SettingsError;
use super::system::SystemSettings;

/// What the functions that need more than their arguments ask. Cheap to clone: all that is behind it is shared.
#[derive(Clone, Debug, Default)]
pub struct Services {
    /// What expressions may learn of the process.
    pub system: Arc<SystemSettings>,
    /// The databases of GEO_GET and ASN_GET.
    #[cfg(feature = "geo")]
    pub geo: Arc<super::geo::Databases>,
    /// What ENRICHMENT_GET and ENRICHMENT_EXISTS read; none: expressions that ask for an enrichment are in error.
    #[cfg(feature = "enrichment")]
    pub enrichment: Option<Arc<dyn super::enrichment::EnrichmentStore>>,
    /// Whoever asks web services; none: expressions that ask one are in error.
    #[cfg(feature = "rest")]
    pub rest: Option<Arc<dyn super::rest::RestCaller>>,
    /// The objects of OBJECT_GET; none, or no store in their settings: expressions that ask for one are in error.
    #[cfg(feature = "object")]
    pub objects: Option<Arc<super::object::Objects>>,
    /// Who is told of calls that give null; nobody: nothing is told.
    pub report: Option<Arc<dyn Report>>,
}

impl Services {
    /// The services that this global configuration describes. Nothing is opened yet: a file is read when an expression first asks for it.
    pub fn from_globals(globals: &JsonMap<String, Json>, report: Arc<dyn Report>) -> Result<Self, SettingsError> {
        Ok(Self {
            system: Arc::new(SystemSettings::from_globals(globals)?),
            #[cfg(feature = "geo")]
            geo: Arc::new(super::geo::Databases::from_globals(globals)?),
            #[cfg(feature = "enrichment")]
            enrichment: {
                let settings = super::enrichment::EnrichmentSettings::from_globals(globals)?;
                settings.store.map(|path| Arc::new(super::enrichment::FileStore::new(path)) as _)
            },
            #[cfg(feature = "rest")]
            rest: {
                let settings = super::rest::RestSettings::from_globals(globals)?;
                Some(Arc::new(super::rest::RestClient::new(settings)))
            },
            #[cfg(feature = "object")]
            objects: Some(Arc::new(super::object::Objects::new(super::object::ObjectSettings::from_globals(globals)?))),
            report: Some(report),
        })
    }

    /// Tells whoever listens of a call that gives null.
    pub(crate) fn failed(&self, function: &'static str, failure: &Failure) {
        if let Some(report) = &self.report {
            report.failed(function, failure);
        }
    }
}
