//! Single files of HDFS that other machines fetch by themselves, as a cluster's nodes do: put there, and told with the
//! size and the time by which they are known again.
//!
//! No payloads: those are [`HdfsStore`]'s. Paths are the caller's own and absolute.

use super::HdfsStore;
use super::files::{Entry, Files};
use super::reader::SharedReader;
use crate::location::Location;
use crate::manifest::{FILES_DIR, MANIFEST_FILE, Manifest};
use crate::path::StorePath;
use crate::store::Error;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A file as it lies in HDFS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedFile {
    /// Its absolute path.
    pub path: String,
    /// Its size, bytes.
    pub size: u64,
    /// When it was last changed, by the NameNode's clock, milliseconds.
    pub modified_ms: u64,
    /// Whether every user may read it, as far as that was looked at: a node may then keep one copy for all.
    pub is_public: bool,
}

/// Files of an HDFS. Blocking, like the stores.
#[derive(Debug, Clone)]
pub struct SharedFiles {
    files: Files,
}

impl SharedFiles {
    /// The file system at `hdfs://HOST:PORT`, or of a name service. Sends nothing yet.
    pub fn open(url: &str) -> Result<SharedFiles, Error> {
        match url.parse()? {
            Location::Hdfs(place) => Ok(SharedFiles { files: Files::open(&place)? }),
            _ => {
                Err(Error::Url { url: url.to_string(), message: "is not in HDFS, where a cluster's nodes read".into() })
            }
        }
    }

    /// The file at a path; `None` when there is none.
    pub fn find(&self, path: &str) -> Result<Option<SharedFile>, Error> {
        let found = self.files.status(path)?.filter(|entry| !entry.is_directory);
        Ok(found.map(|entry| shared(path, &entry)))
    }

    /// The file at a path, to be read from any place in it; `None` when there is none.
    pub fn open_file(&self, path: &str) -> Result<Option<SharedReader>, Error> {
        Ok(self.files.open_file(path)?.map(|file| SharedReader::new(self.files.clone(), file)))
    }

    /// Writes a new file, whose directory is made when it is missing. What has that name is left as it is and fails this.
    pub fn put(&self, path: &str, executable: bool, from: &mut dyn Read) -> Result<SharedFile, Error> {
        if let Some((parent, _)) = path.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) {
            self.files.make_directory(parent)?;
        }
        let (_, closing) = self.files.write(path, executable, from, u64::MAX - 1, &mut |_| {})?;
        self.files.closed(closing)?;
        self.find(path)?.ok_or_else(|| self.files.trouble("write", path, std::io::ErrorKind::NotFound.into()))
    }

    /// Puts a file of this machine there, unless a file of its size has that name: names tell their content.
    pub fn put_file(&self, path: &str, executable: bool, local: &Path) -> Result<SharedFile, Error> {
        let unreadable = |source| Error::Io { action: "read", path: local.to_path_buf(), source };
        let mut file = File::open(local).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        if let Some(there) = self.find(path)? {
            if there.size == size {
                return Ok(there);
            }
            // Cut off by a crash.
            self.files.delete_tree(path)?;
        }
        self.put(path, executable, &mut file)
    }

    /// Deletes a file, or a directory with all in it; nothing where it is not there.
    pub fn delete(&self, path: &str) -> Result<(), Error> {
        self.files.delete_tree(path)
    }

    /// The names in a directory; none where it is not there.
    pub fn names(&self, path: &str) -> Result<Vec<String>, Error> {
        Ok(self.files.list(path)?.unwrap_or_default().into_iter().map(|entry| entry.name).collect())
    }
}

impl HdfsStore {
    /// The payload of a digest as single files, each with its path inside the payload, the manifest first: from where it
    /// was published, else from where it was imported to; `None` when it is in neither place.
    pub fn payload_files(&self, path: &StorePath, digest: &str) -> Result<Option<Vec<(String, SharedFile)>>, Error> {
        for place in [path.clone(), StorePath::imported(digest)?] {
            let dir = self.dir(&place);
            let children = self.children(&dir)?.unwrap_or_default();
            if let Some(manifest) = self.manifest_among(&dir, &children)?.filter(|there| there.digest() == digest) {
                return self.files_of(&dir, &manifest).map(Some);
            }
        }
        Ok(None)
    }

    fn files_of(&self, dir: &str, manifest: &Manifest) -> Result<Vec<(String, SharedFile)>, Error> {
        let names = manifest.files().iter().map(|file| format!("{FILES_DIR}/{}", file.path));
        let mut files = Vec::with_capacity(manifest.files().len() + 1);
        let mut open_to_all = BTreeMap::new();
        for name in std::iter::once(MANIFEST_FILE.to_string()).chain(names) {
            let path = format!("{dir}/{name}");
            let Some(entry) = self.files.status(&path)? else {
                return Err(Error::Changed { path: dir.to_string(), file: name });
            };
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            let is_public = entry.is_for_all && self.all_may_pass(parent, &mut open_to_all)?;
            files.push((name, SharedFile { is_public, ..shared(&path, &entry) }));
        }
        Ok(files)
    }

    /// Whether everybody may pass through a directory and all above it. `known` has the answers so far.
    fn all_may_pass(&self, dir: &str, known: &mut BTreeMap<String, bool>) -> Result<bool, Error> {
        if let Some(answer) = known.get(dir) {
            return Ok(*answer);
        }
        let status = self.files.status(if dir.is_empty() { "/" } else { dir })?;
        let mut answer = status.is_some_and(|entry| entry.is_for_all);
        if let Some((above, _)) = dir.rsplit_once('/') {
            answer = answer && self.all_may_pass(above, known)?;
        }
        known.insert(dir.to_string(), answer);
        Ok(answer)
    }
}

fn shared(path: &str, entry: &Entry) -> SharedFile {
    SharedFile { path: path.to_string(), size: entry.size, modified_ms: entry.modified_ms, is_public: false }
}
