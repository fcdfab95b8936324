//! From a connected tree to the roots everything else needs: reads the configuration node.

use crate::config::{self, Roots};
use crate::tree::{self, Tree};

/// Why the roots could not be found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration node could not be read.
    #[error("configuration node {path} could not be read")]
    Tree {
        /// The node.
        path: String,
        /// Why.
        #[source]
        source: tree::Error,
    },
    /// The configuration node is there and can't be used.
    #[error(transparent)]
    Config(#[from] config::Error),
}

/// Reads the configuration node (`-zr`, [`config::DEFAULT_CONFIG_PATH`] by default); an absent node means the defaults.
pub async fn open(tree: &dyn Tree, config_path: &str) -> Result<Roots, Error> {
    let node = tree.get(config_path).await.map_err(|source| Error::Tree { path: config_path.to_string(), source })?;
    Ok(Roots::from_node(config_path, node.as_ref().map(|node| node.data.as_slice()))?)
}
