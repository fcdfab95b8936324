//! Where collected files are listed and opened: HDFS, or a test's memory.

use crate::payload::failure;
use hadoop_yarn::logs::LogDirectory;
use maas_cli::{ErrorCode, Failure};
use maas_store::hdfs::{SharedFiles, SharedReader};
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A file system, blocking.
pub(super) trait Files {
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
    heard: Arc<AtomicU64>,
}

/// A file whose answers are counted.
pub(super) struct Heard {
    file: SharedReader,
    heard: Arc<AtomicU64>,
}

impl Hdfs {
    /// With this default file system.
    pub(super) fn new(default: String) -> Hdfs {
        Hdfs { default, connected: Mutex::default(), heard: Arc::default() }
    }

    /// How many answers it has given so far: by that one that is slow is told from one that is away.
    pub(super) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    fn answered<T>(&self, answer: T) -> T {
        self.heard.fetch_add(1, Ordering::Relaxed);
        answer
    }

    fn connected(&self, directory: &LogDirectory) -> Result<SharedFiles, Failure> {
        let url = file_system_of(directory, &self.default)?;
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(files) = connected.get(url) {
            return Ok(files.clone());
        }
        let files = SharedFiles::open(url).map_err(|error| failure(&error))?;
        connected.insert(url.to_string(), files.clone());
        Ok(files)
    }
}

/// The file system of a directory. One without a server, as in `hdfs:///app-logs`, is the default one.
fn file_system_of<'a>(directory: &'a LogDirectory, default: &'a str) -> Result<&'a str, Failure> {
    let named = directory.file_system.as_deref().filter(|named| *named != "hdfs://");
    let url = named.unwrap_or(default).trim_end_matches('/');
    if url.starts_with("hdfs://") {
        return Ok(url);
    }
    let message = format!(
        "this cluster collects logs in {} of {url:?}, and only HDFS is read here; `yarn logs -applicationId ID` has them",
        directory.path
    );
    Err(Failure::new(ErrorCode::NoLogs, message))
}

impl Read for Heard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer);
        self.heard.fetch_add(1, Ordering::Relaxed);
        count
    }
}

impl Seek for Heard {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Files for Hdfs {
    type File = Heard;

    fn names(&self, directory: &LogDirectory) -> Result<Vec<String>, Failure> {
        let names = self.connected(directory)?.names(&directory.path);
        self.answered(names).map_err(|error| failure(&error))
    }

    fn open(&self, directory: &LogDirectory, name: &str) -> Result<Option<Heard>, Failure> {
        let path = format!("{}/{name}", directory.path);
        let file = self.connected(directory)?.open_file(&path);
        let file = self.answered(file).map_err(|error| failure(&error))?;
        Ok(file.map(|file| Heard { file, heard: Arc::clone(&self.heard) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_without_a_server_is_in_the_default_file_system() {
        let at = |file_system: Option<&str>, default: &str| {
            let file_system = file_system.map(str::to_string);
            let directory = LogDirectory { file_system, path: "/app-logs".into(), format: "TFile".into() };
            file_system_of(&directory, default).map(str::to_string).map_err(|failure| failure.exit())
        };
        let default = "hdfs://node1:8020/";
        for (named, default, expected) in [
            (None, default, Ok("hdfs://node1:8020")),
            (Some("hdfs://"), default, Ok("hdfs://node1:8020")),
            (Some("hdfs://logs"), default, Ok("hdfs://logs")),
            (Some("file://"), default, Err(4)),
            (Some("hdfs://"), "file:///", Err(4)),
        ] {
            assert_eq!(at(named, default), expected.map(str::to_string), "{named:?} {default}");
        }
    }
}
