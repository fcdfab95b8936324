//! Single files of a store's place, read as they lie there: no payloads, no manifests.
//!
//! For those who keep other things beside models, such as data that expressions read. Nothing is written here.

use crate::location::{Location, Remote};
use crate::path::StorePath;
use crate::store::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads files by their paths below a root. Blocking.
pub trait SingleFiles: Send + Sync + std::fmt::Debug {
    /// The root's url.
    fn url(&self) -> String;

    /// The first `most` bytes of a file; `None` when there is none, also where a link leads out of the root. One byte more than are wanted tells
    /// whether there are more.
    fn read(&self, path: &StorePath, most: u64) -> Result<Option<Vec<u8>>, Error>;
}

/// The files at a place. Touches nothing yet.
pub fn open(place: &Location) -> Result<Arc<dyn SingleFiles>, Error> {
    match place {
        Location::File(root) => Ok(Arc::new(Directory(root.clone()))),
        Location::Hdfs(remote) => open_hdfs(remote),
        Location::S3(remote) => open_s3(remote),
    }
}

/// A directory of this machine.
#[derive(Debug)]
struct Directory(PathBuf);

impl SingleFiles for Directory {
    fn url(&self) -> String {
        Location::File(self.0.clone()).to_string()
    }

    fn read(&self, path: &StorePath, most: u64) -> Result<Option<Vec<u8>>, Error> {
        let file = path.below(&self.0);
        let failed = |source| Error::Io { action: "read", path: file.clone(), source };
        // A file that was replaced by a pipe since would be waited for; who may write here is trusted not to.
        match inside(&self.0, &file) {
            Ok(Some(real)) => {
                let opened = File::open(real).map_err(failed)?;
                if !opened.metadata().map_err(failed)?.is_file() {
                    return Ok(None);
                }
                take(opened, most).map(Some).map_err(failed)
            }
            Ok(None) => Ok(None),
            Err(source) => Err(failed(source)),
        }
    }
}

/// Where a file really is, if it is a file, and below the root also when links are followed.
fn inside(root: &Path, file: &Path) -> io::Result<Option<PathBuf>> {
    let real = |path: &Path| match fs::canonicalize(path) {
        Ok(real) => Ok(Some(real)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    };
    let (Some(root), Some(file)) = (real(root)?, real(file)?) else { return Ok(None) };
    Ok((file.starts_with(root) && fs::metadata(&file)?.is_file()).then_some(file))
}

fn take(from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(feature = "s3")]
#[derive(Debug)]
struct Bucket(crate::s3::S3Blobs);

#[cfg(feature = "s3")]
impl SingleFiles for Bucket {
    fn url(&self) -> String {
        crate::blobs::Blobs::url(&self.0)
    }

    fn read(&self, path: &StorePath, most: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(from) = crate::blobs::Blobs::get(&self.0, path.relative())? else { return Ok(None) };
        let failed = |source| Error::Io { action: "read", path: path.as_str().into(), source };
        take(from, most).map(Some).map_err(failed)
    }
}

#[cfg(feature = "s3")]
fn open_s3(remote: &Remote) -> Result<Arc<dyn SingleFiles>, Error> {
    Ok(Arc::new(Bucket(crate::s3::S3Blobs::open(remote, crate::location::environment())?)))
}

#[cfg(not(feature = "s3"))]
fn open_s3(remote: &Remote) -> Result<Arc<dyn SingleFiles>, Error> {
    Err(Error::NotBuilt { url: remote.url.clone(), feature: "s3" })
}

#[cfg(feature = "hdfs")]
impl SingleFiles for crate::hdfs::HdfsStore {
    fn url(&self) -> String {
        crate::store::ModelStore::url(self)
    }

    fn read(&self, path: &StorePath, most: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(from) = self.read_file(path)? else { return Ok(None) };
        let failed = |source| Error::Io { action: "read", path: path.as_str().into(), source };
        take(from, most).map(Some).map_err(failed)
    }
}

#[cfg(feature = "hdfs")]
fn open_hdfs(remote: &Remote) -> Result<Arc<dyn SingleFiles>, Error> {
    Ok(Arc::new(crate::hdfs::HdfsStore::open(remote)?))
}

#[cfg(not(feature = "hdfs"))]
fn open_hdfs(remote: &Remote) -> Result<Arc<dyn SingleFiles>, Error> {
    Err(Error::NotBuilt { url: remote.url.clone(), feature: "hdfs" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_below_the_root_are_read_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("a")).unwrap();
        fs::write(root.join("a/b.json"), "[1, 2]").unwrap();
        fs::write(dir.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret", root.join("out")).unwrap();
        std::os::unix::fs::symlink("a/b.json", root.join("in")).unwrap();
        let files = open(&root.to_str().unwrap().parse().unwrap()).unwrap();
        let read = |path: &str, most| files.read(&path.parse().unwrap(), most).unwrap();
        assert_eq!(read("/a/b.json", 100).as_deref(), Some(&b"[1, 2]"[..]));
        assert_eq!(read("/a/b.json", 3).as_deref(), Some(&b"[1,"[..]));
        assert!(read("/in", 100).is_some());
        for nothing in ["/out", "/a", "/none", "/a/b.json/c"] {
            assert_eq!(read(nothing, 100), None, "{nothing}");
        }
        assert!("/../secret".parse::<StorePath>().is_err());
    }
}
