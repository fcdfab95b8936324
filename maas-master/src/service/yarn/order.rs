//! What an application's master is told by whoever submits it.

use maas_store::hdfs::SharedFile;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The secret of the master's token file that holds an [`Order`].
pub(super) const ORDER_SECRET: &str = "maas.order";
/// The secret with the masters' ZooKeeper credential, as one line.
pub(super) const CREDENTIAL_SECRET: &str = "maas.zookeeper";

/// The order. A later version may read what an earlier one wrote: fields are only added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    /// The application, by its id.
    pub(super) application: String,
    /// In whose name it was submitted.
    pub(super) user: String,
    /// The file system, `hdfs://HOST:PORT`.
    pub(super) file_system: String,
    /// The application's directory there.
    pub(super) directory: String,
    /// The runner's program there.
    pub(super) runner: Staged,
    /// The service's `-e`.
    pub(super) env: BTreeMap<String, String>,
}

/// A file for nodes to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Staged {
    path: String,
    size: u64,
    modified_ms: u64,
}

impl From<&SharedFile> for Staged {
    fn from(file: &SharedFile) -> Staged {
        Staged { path: file.path.clone(), size: file.size, modified_ms: file.modified_ms }
    }
}

impl From<&Staged> for SharedFile {
    fn from(file: &Staged) -> SharedFile {
        SharedFile { path: file.path.clone(), size: file.size, modified_ms: file.modified_ms, is_public: false }
    }
}
