//! Configurations in ZooKeeper, below `/metron/topology`: read, and watched for changes.
//!
//! Nodes are named as the original names them: `global`, `parsers/squid`; patterns keep their path below `patterns`. What the text means is [`crate::config`]'s.

use std::collections::BTreeMap;
use std::time::Duration;

use maas_client::tree::{self, SharedTree, TreeChange};
use thiserror::Error as ThisError;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::config::Files;

/// Where configurations are.
pub const ROOT: &str = "/metron/topology";
/// Changes that come together are read together.
const SETTLE: Duration = Duration::from_millis(200);

/// Configurations could not be read.
#[derive(Debug, ThisError)]
pub enum Error {
    /// ZooKeeper's trouble.
    #[error("the configuration could not be read from ZooKeeper")]
    Tree(#[from] tree::Error),
    /// A node that is no text.
    #[error("{path} is not UTF-8 text")]
    NotText {
        /// Which.
        path: String,
    },
}

/// The node of a file.
pub fn node(file: &str) -> String {
    if file.starts_with("patterns/") {
        return format!("{ROOT}/{file}");
    }
    format!("{ROOT}/{}", file.strip_suffix(".json").unwrap_or(file))
}

/// The file of a node, by its path below the root.
fn file(below: &str) -> String {
    if below.starts_with("patterns/") { below.to_owned() } else { format!("{below}.json") }
}

/// A file with the version of its node.
pub type Versioned = BTreeMap<String, (String, i32)>;

/// Reads everything.
pub async fn read(tree: &SharedTree) -> Result<Versioned, Error> {
    let mut files = Versioned::new();
    let mut pending = vec![String::new()];
    while let Some(below) = pending.pop() {
        let path = if below.is_empty() { ROOT.to_owned() } else { format!("{ROOT}/{below}") };
        let Some(node) = tree.get(&path).await? else { continue };
        if !below.is_empty() && !node.data.is_empty() {
            let text = String::from_utf8(node.data).map_err(|_| Error::NotText { path: path.clone() })?;
            files.insert(file(&below), (text, node.stat.version));
        }
        if node.stat.num_children > 0 {
            let names = tree.children(&path).await?.unwrap_or_default();
            pending
                .extend(names.into_iter().map(|name| if below.is_empty() { name } else { format!("{below}/{name}") }));
        }
    }
    Ok(files)
}

/// Reads everything, without versions.
pub async fn read_files(tree: &SharedTree) -> Result<Files, Error> {
    Ok(Files(read(tree).await?.into_iter().map(|(name, (text, _))| (name, text)).collect()))
}

/// Says when something may have changed.
#[derive(Debug)]
pub struct Changes(UnboundedReceiver<TreeChange>);

impl Changes {
    /// From now on.
    pub async fn watch(tree: &SharedTree) -> Result<Self, Error> {
        Ok(Self(tree.watch_tree(ROOT).await?))
    }

    /// Waits for a change, and until no further one follows at once. False when there will be none any more.
    pub async fn changed(&mut self) -> bool {
        if self.0.recv().await.is_none() {
            return false;
        }
        while let Ok(Some(_)) = tokio::time::timeout(SETTLE, self.0.recv()).await {}
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maas_client::tree::memory::MemoryServer;
    use maas_client::tree::{Access, Mode, TreeExt};

    #[test]
    fn nodes_and_files_have_each_others_names() {
        for (name, path) in [
            ("global.json", "/metron/topology/global"),
            ("parsers/squid.json", "/metron/topology/parsers/squid"),
            ("patterns/squid", "/metron/topology/patterns/squid"),
        ] {
            assert_eq!(node(name), path);
            assert_eq!(file(&path[ROOT.len() + 1..]), name);
        }
    }

    #[tokio::test]
    async fn what_is_there_is_read_and_changes_are_noticed() {
        let tree: SharedTree = MemoryServer::new().session();
        tree.ensure_path("/metron/topology/parsers", Access::Open).await.unwrap();
        let mut changes = Changes::watch(&tree).await.unwrap();
        let create = tree.create("/metron/topology/parsers/squid", b"{}".to_vec(), Mode::Persistent, Access::Open);
        create.await.unwrap();
        assert!(changes.changed().await);
        let files = read_files(&tree).await.unwrap();
        assert_eq!(files.get("parsers/squid.json"), Some("{}"));
        assert_eq!(files.0.len(), 1);
    }
}
