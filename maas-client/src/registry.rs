//! The registry's wire form: Curator's `ServiceInstance` with Metron's `ModelEndpoint`, exactly nine keys; and reading it.
//!
//! Metron's Java reader drops its whole refresh on one node it can't read, so what we write is exactly what 2.7.1
//! writes; what we read is more forgiving, and one bad node never hides the others.

mod published;
mod wire;

use crate::config::Roots;
use crate::model::{ModelId, ModelName, ModelVersion};
use crate::tree::{self, SharedTree};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

pub use published::{Error as UrlError, check as check_url};
pub use wire::{Error, decode};

/// Function map of an endpoint that names none, as in Metron.
pub fn default_functions() -> BTreeMap<String, String> {
    BTreeMap::from([("apply".to_string(), "apply".to_string())])
}

/// One live endpoint, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The model.
    pub name: ModelName,
    /// Its version.
    pub version: ModelVersion,
    /// The registration's node name: the instance.
    pub id: Arc<str>,
    /// Base url as registered.
    pub url: Arc<str>,
    /// Function name → path below the url.
    pub functions: Arc<BTreeMap<String, String>>,
    /// When it was registered, ms since epoch.
    pub registered_ms: i64,
    /// Creation transaction of the node: stands for the payload where no digest is known.
    pub czxid: i64,
}

impl Endpoint {
    /// Version and model together.
    pub fn model(&self) -> ModelId {
        ModelId { name: self.name.clone(), version: self.version.clone() }
    }
}

/// What a runner registers. [`Registration::encode`] writes the nine keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Which version of which model.
    pub model: ModelId,
    /// The instance.
    pub id: String,
    /// Published url, with the published host.
    pub url: String,
    /// Function name → path below the url.
    pub functions: BTreeMap<String, String>,
    /// When, ms since epoch.
    pub registered_ms: i64,
}

/// A node below the root that is no endpoint, and why.
#[derive(Debug)]
pub struct Skipped {
    /// Its path.
    pub path: String,
    /// Why it was skipped.
    pub error: Error,
}

/// What the registry holds, or what one name of it holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// The endpoints, by name, version and id.
    pub endpoints: Vec<Endpoint>,
    /// Nodes that were skipped.
    pub skipped: Vec<Skipped>,
}

/// Reads the registry. Registering is the runner's, in one transaction with its record (see the state store).
#[derive(Clone)]
pub struct Registry {
    tree: SharedTree,
    roots: Roots,
}

impl Registry {
    /// The registry below these roots.
    pub fn new(tree: SharedTree, roots: &Roots) -> Self {
        Registry { tree, roots: roots.clone() }
    }

    /// All names that have a node, sorted; also such as no model could have.
    pub async fn names(&self) -> Result<Vec<String>, tree::Error> {
        Ok(self.tree.children(&self.roots.services).await?.unwrap_or_default())
    }

    /// The endpoints of one name. One bad node never hides the others.
    pub async fn list(&self, name: &str) -> Result<Listing, tree::Error> {
        let mut listing = Listing::default();
        let ids = match self.tree.children(&self.roots.service(name)).await {
            Err(tree::Error::NoAuth { path }) => {
                listing.skipped.push(Skipped { path, error: Error::Locked });
                return Ok(listing);
            }
            ids => ids?.unwrap_or_default(),
        };
        let reads = ids.into_iter().map(|id| async move {
            let path = self.roots.registration(name, &id);
            let node = self.tree.get(&path).await;
            (path, id, node)
        });
        for (path, id, node) in futures_util::future::join_all(reads).await {
            let node = match node {
                Err(tree::Error::NoAuth { path }) => {
                    listing.skipped.push(Skipped { path, error: Error::Locked });
                    continue;
                }
                node => node?,
            };
            // Gone between the two reads: it is simply not there.
            let Some(node) = node else { continue };
            match decode(name, &id, &node) {
                Ok(endpoint) => listing.endpoints.push(endpoint),
                Err(error) => listing.skipped.push(Skipped { path, error }),
            }
        }
        listing.endpoints.sort_by(|a, b| (&a.version, &a.id).cmp(&(&b.version, &b.id)));
        Ok(listing)
    }

    /// Everything, sorted by name, version and id.
    pub async fn list_all(&self) -> Result<Listing, tree::Error> {
        let names = self.names().await?;
        let mut all = Listing::default();
        for listing in futures_util::future::join_all(names.iter().map(|name| self.list(name))).await {
            let listing = listing?;
            all.endpoints.extend(listing.endpoints);
            all.skipped.extend(listing.skipped);
        }
        Ok(all)
    }
}
