//! The file that `--repair` writes before it deletes anything, and that `--restore` puts back.

use crate::error::Error;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use maas_cli::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const FORMAT: u32 = 1;
/// The longest file that is read, bytes.
const MAX_BYTES: u64 = 64 << 20;

/// Nodes as they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Saved {
    format: u32,
    /// Where they were.
    pub(crate) zookeeper: String,
    /// When they were saved.
    pub(crate) time: Timestamp,
    /// The nodes; all of them persistent.
    pub(crate) nodes: Vec<SavedNode>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedNode {
    /// Its path.
    pub(crate) path: String,
    /// Its bytes, base64.
    data: String,
}

impl SavedNode {
    /// A node's bytes for the file.
    pub(crate) fn new(path: &str, data: &[u8]) -> SavedNode {
        SavedNode { path: path.to_string(), data: STANDARD.encode(data) }
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, Error> {
        STANDARD.decode(&self.data).map_err(|error| {
            Failure::new(ErrorCode::BadRestore, format!("{}: its bytes are no base64", self.path))
                .because(&error)
                .into()
        })
    }
}

impl Saved {
    /// Nodes for a file.
    pub(crate) fn new(zookeeper: &str, time: Timestamp, nodes: Vec<SavedNode>) -> Saved {
        Saved { format: FORMAT, zookeeper: zookeeper.to_string(), time, nodes }
    }

    /// Writes a new file and waits until it is on disk. A file that is there is never overwritten.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let write = || -> std::io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.sync_all()
        };
        write().map_err(|error| {
            let code = match error.kind() {
                std::io::ErrorKind::StorageFull => ErrorCode::NoSpace,
                std::io::ErrorKind::PermissionDenied => ErrorCode::NotPermitted,
                _ => ErrorCode::Usage,
            };
            let message = format!("{} can't be written, so nothing was repaired; give --save FILE", path.display());
            Failure::new(code, message).because(&error).into()
        })
    }

    /// Reads a file; its nodes must all lie below one of `roots`.
    pub(crate) fn read(path: &Path, roots: &[&str]) -> Result<Saved, Error> {
        let bad = |error: &(dyn std::error::Error + 'static)| {
            let message = format!("{} is no file of saved nodes", path.display());
            Error::from(Failure::new(ErrorCode::BadRestore, message).because(error))
        };
        let mut bytes = Vec::new();
        File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes)).map_err(|error| bad(&error))?;
        let saved: Saved = serde_json::from_slice(&bytes).map_err(|error| bad(&error))?;
        if saved.format != FORMAT {
            let message = format!("{} has format {}; this program reads {FORMAT}", path.display(), saved.format);
            return Err(Error::say(ErrorCode::BadRestore, message));
        }
        match saved.nodes.iter().find(|node| !roots.iter().any(|root| is_below(&node.path, root))) {
            None => Ok(saved),
            Some(node) => {
                let message = format!("{}: {:?} is not below {}", path.display(), node.path, roots.join(" or "));
                Err(Error::say(ErrorCode::BadRestore, message))
            }
        }
    }
}

/// Whether a path is a well-formed one below `root`.
fn is_below(path: &str, root: &str) -> bool {
    let rest = path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
    rest.is_some_and(|rest| {
        rest.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.chars().any(char::is_control))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(path: &str) -> Saved {
        Saved::new("h:1", Timestamp::UNIX_EPOCH, vec![SavedNode::new(path, b"\x00bytes\xff")])
    }

    #[test]
    fn what_is_written_is_read_back_and_nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("saved.json");
        let saved = saved("/maas/service/dga/2");
        saved.write(&file).unwrap();
        let read = Saved::read(&file, &["/maas/service"]).unwrap();
        assert_eq!(read, saved);
        assert_eq!(read.nodes[0].bytes().unwrap(), b"\x00bytes\xff");
        assert!(saved.write(&file).is_err());
    }

    #[test]
    fn a_file_that_would_write_elsewhere_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for (index, path) in ["/maas/state/epoch", "/maas/service/../state", "/maas/services", "x"].iter().enumerate() {
            let file = dir.path().join(index.to_string());
            saved(path).write(&file).unwrap();
            let failure = Saved::read(&file, &["/maas/service"]).unwrap_err().into_failure();
            assert_eq!(failure.code(), ErrorCode::BadRestore, "{path}");
        }
        let none = Saved::read(&dir.path().join("none"), &["/x"]).unwrap_err().into_failure();
        assert_eq!(none.exit(), 3);
    }
}
