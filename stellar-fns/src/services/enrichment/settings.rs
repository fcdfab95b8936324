//! Where enrichments are: the key `stellar.enrichment.settings` of global.json.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map as JsonMap, Value as Json};

use crate::services::settings::{SettingsError, local_file, object};

pub(crate) const KEY: &str = "stellar.enrichment.settings";

/// Where enrichments are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnrichmentSettings {
    /// The file that holds them; none: expressions that ask for one are in error.
    pub store: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    store: String,
}

impl EnrichmentSettings {
    /// Those of a global configuration.
    pub fn from_globals(globals: &JsonMap<String, Json>) -> Result<Self, SettingsError> {
        let Some(written) = object::<Written>(globals, KEY)? else { return Ok(Self::default()) };
        let path = local_file(&written.store, "give the path of the file that stellar enrichment load writes");
        Ok(Self { store: Some(path.map_err(|reason| SettingsError::unusable(KEY, reason))?) })
    }
}
