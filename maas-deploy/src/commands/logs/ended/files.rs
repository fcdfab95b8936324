//! Where collected files are listed and opened: HDFS, or a test's memory.

use crate::payload::failure;
use hadoop_yarn::logs::LogDirectory;
use maas_cli::{ErrorCode, Failure};
use maas_store::hdfs::{SharedFiles, SharedReader};
use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::sync::{Mutex, PoisonError};

/// A file system, blocking.
pub(super) trait Files: Send + Sync + 'static {
    /// An open file.
    type File: Read + Seek;

    /// The names in a directory; none where it is not there.
    fn names(&self, directory: &LogDirectory) -> Result<Vec<String>, Failure>;

    /// A file of a directory; `None` where it is not there.
    fn open(&self, directory: &LogDirectory, name: &str) -> Result<Option<Self::File>, Failure>;
}

/// HDFS: the default file system, and any other that a directory names.
pub(super) struct Hdfs {
    default: String,
    connected: Mutex<BTreeMap<String, SharedFiles>>,
}

impl Hdfs {
    /// With this default file system.
    pub(super) fn new(default: String) -> Hdfs {
        Hdfs { default, connected: Mutex::default() }
    }

    fn connected(&self, directory: &LogDirectory) -> Result<SharedFiles, Failure> {
        let url = directory.file_system.as_ref().unwrap_or(&self.default).trim_end_matches('/');
        if !url.starts_with("hdfs://") {
            let message = format!(
                "this cluster collects logs in {} of {url:?}, and only HDFS is read here; `yarn logs -applicationId ID` has them",
                directory.path
            );
            return Err(Failure::new(ErrorCode::NoLogs, message));
        }
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(files) = connected.get(url) {
            return Ok(files.clone());
        }
        let files = SharedFiles::open(url).map_err(|error| failure(&error))?;
        connected.insert(url.to_string(), files.clone());
        Ok(files)
    }
}

impl Files for Hdfs {
    type File = SharedReader;

    fn names(&self, directory: &LogDirectory) -> Result<Vec<String>, Failure> {
        self.connected(directory)?.names(&directory.path).map_err(|error| failure(&error))
    }

    fn open(&self, directory: &LogDirectory, name: &str) -> Result<Option<SharedReader>, Failure> {
        let path = format!("{}/{name}", directory.path);
        self.connected(directory)?.open_file(&path).map_err(|error| failure(&error))
    }
}
