//! The model store over objects under keys.
//!
//! `<path>/manifest.json` and `<path>/files/<sha256>`: objects are named by their content, so that no name of a file
//! needs escaping and two programs that publish different content at once can't mix. The manifest is created last and
//! only when there is none: it decides who was first. Without it nothing is there.

use crate::blobs::Blobs;
use crate::bundle::{self, Bundle, Limits};
use crate::fetch;
use crate::hash;
use crate::manifest::{self, FILES_DIR, FileEntry, MANIFEST_FILE, MAX_BYTES, Manifest};
use crate::path::{self, StorePath};
use crate::payload;
use crate::store::{Error, Found, Listed, Meter, ModelStore, Progress, Put};
use crate::tree_import;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

const IMPORTED: &str = ".imported/";

/// A store over [`Blobs`].
#[derive(Debug, Clone)]
pub struct ObjectStore {
    blobs: Arc<dyn Blobs>,
}

/// What stands under `manifest.json`.
enum AtManifest {
    Nothing,
    Ours(Box<Manifest>),
    /// Something that is no manifest of ours, and why.
    Other(manifest::Error),
}

impl ObjectStore {
    /// The store over these objects.
    pub fn new(blobs: Arc<dyn Blobs>) -> Self {
        ObjectStore { blobs }
    }

    fn read_manifest(&self, key: &str) -> Result<AtManifest, Error> {
        let Some(from) = self.blobs.get(key)? else { return Ok(AtManifest::Nothing) };
        let mut bytes = Vec::new();
        from.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|source| Error::Io {
            action: "read",
            path: key.into(),
            source,
        })?;
        Ok(match Manifest::decode(&bytes) {
            Ok(manifest) => AtManifest::Ours(Box::new(manifest)),
            Err(error) => AtManifest::Other(error),
        })
    }

    fn compare(&self, path: &StorePath, manifest: &Manifest) -> Result<Option<Put>, Error> {
        self.look(path)?.against(path, manifest)
    }

    fn upload(
        &self,
        path: &StorePath,
        source: &Path,
        file: &FileEntry,
        seen: &mut dyn FnMut(u64),
    ) -> Result<(), Error> {
        let opened = File::open(source)
            .map_err(|error| bundle::Error::Unreadable { file: source.to_path_buf(), source: error })?;
        let mut checked = Checked { from: opened, hasher: Sha256::new(), size: 0, file, changed: false, seen };
        match self.blobs.put(&file_key(path, &file.sha256), &mut checked, file.size) {
            Err(_) if checked.changed => Err(bundle::Error::Changed { file: file.path.clone() }.into()),
            sent => sent,
        }
    }

    /// A tree without a manifest, as files below `to`. Its keys come from others: each is checked first.
    fn download_tree(&self, path: &StorePath, to: &Path) -> Result<(), Error> {
        let prefix = format!("{}/", path.relative());
        let keys = self.blobs.list(&prefix)?;
        let Limits { files, .. } = Limits::default();
        if keys.len() > files {
            return Err(bundle::Error::TooManyFiles { dir: path.as_str().into(), limit: files }.into());
        }
        for (key, _) in keys {
            let relative = &key[prefix.len()..];
            // Some tools mark directories by an empty object whose key ends so.
            if relative.is_empty() || relative.ends_with('/') {
                continue;
            }
            path::check_file(relative)?;
            let target = to.join(relative);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent).map_err(|error| payload::write_error("make", parent, error))?;
            }
            let Some(mut from) = self.blobs.get(&key)? else { continue };
            let mut file = File::create_new(&target).map_err(|error| payload::write_error("write", &target, error))?;
            io::copy(&mut from, &mut file).map_err(|error| payload::write_error("write", &target, error))?;
        }
        Ok(())
    }
}

fn manifest_key(path: &StorePath) -> String {
    format!("{}/{MANIFEST_FILE}", path.relative())
}

fn file_key(path: &StorePath, sha256: &str) -> String {
    format!("{}/{FILES_DIR}/{sha256}", path.relative())
}

/// Reads a file and fails, at its end at the latest, when it is not what the manifest says: an object under the name of
/// a hash never has other bytes.
struct Checked<'a> {
    from: File,
    hasher: Sha256,
    size: u64,
    file: &'a FileEntry,
    changed: bool,
    seen: &'a mut dyn FnMut(u64),
}

impl Read for Checked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.size += count as u64;
        self.hasher.update(&buffer[..count]);
        let at_end = count == 0 && !buffer.is_empty();
        let differs = || self.size != self.file.size || hash::hex(&self.hasher.clone().finalize()) != self.file.sha256;
        if self.size > self.file.size || (at_end && differs()) {
            self.changed = true;
            return Err(io::Error::other("the file changed while it was read"));
        }
        (self.seen)(count as u64);
        Ok(count)
    }
}

impl ModelStore for ObjectStore {
    fn url(&self) -> String {
        self.blobs.url()
    }

    fn look(&self, path: &StorePath) -> Result<Found, Error> {
        let own = match self.read_manifest(&manifest_key(path))? {
            AtManifest::Ours(manifest) => return Ok(Found::Payload(manifest)),
            AtManifest::Nothing => None,
            AtManifest::Other(error) => Some(error),
        };
        let prefix = format!("{}/", path.relative());
        let keys = self.blobs.list(&prefix)?;
        let names: Vec<&str> = keys.iter().map(|(key, _)| &key[prefix.len()..]).collect();
        let scripts = names.iter().filter(|name| manifest::is_script(name)).count();
        // What an interrupted upload left is nothing; so are the markers of empty directories.
        let is_left_over = |name: &str| {
            name.is_empty() || name.ends_with('/') || name.strip_prefix("files/").is_some_and(hash::is_hex)
        };
        match own {
            Some(error) if scripts == 0 => Err(Error::Manifest { path: path.to_string(), source: error }),
            None if names.iter().all(|name| is_left_over(name)) => Ok(Found::Nothing),
            _ => Ok(Found::Tree { scripts }),
        }
    }

    fn put(
        &self,
        path: &StorePath,
        bundle: &Bundle,
        manifest: &Manifest,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Put, Error> {
        if let Some(put) = self.compare(path, manifest)? {
            return Ok(put);
        }
        let sources: BTreeMap<&str, &Path> =
            bundle.files().iter().map(|file| (file.path.as_str(), file.source.as_path())).collect();
        let mut meter = Meter::of(manifest);
        let mut sent: BTreeSet<&str> = BTreeSet::new();
        for file in manifest.files() {
            let changed = || bundle::Error::Changed { file: file.path.clone() };
            let source = sources.get(file.path.as_str()).ok_or_else(changed)?;
            if sent.insert(&file.sha256) {
                self.upload(path, source, file, &mut |bytes| meter.advance(bytes, &file.path, progress))?;
            } else {
                meter.advance(file.size, &file.path, progress);
            }
            meter.file_done(&file.path, progress);
        }
        match self.blobs.create(&manifest_key(path), manifest.encode())? {
            true => Ok(Put::Written),
            false => self.compare(path, manifest)?.ok_or_else(|| Error::Conflict {
                path: path.clone(),
                difference: "it was published and deleted while this was uploaded".to_string(),
            }),
        }
    }

    fn fetch(&self, path: &StorePath, to: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Manifest, Error> {
        let manifest = self.manifest(path)?;
        let mut open = |file: &FileEntry| self.blobs.get(&file_key(path, &file.sha256));
        fetch::fetch(&manifest, path.as_str(), to, &mut open, progress)?;
        Ok(manifest)
    }

    fn list(&self, below: Option<&StorePath>) -> Result<Vec<Listed>, Error> {
        let prefix = below.map(|path| format!("{}/", path.relative())).unwrap_or_default();
        let mut found = Vec::new();
        for (key, _) in self.blobs.list(&prefix)? {
            let Some(path) = key.strip_suffix(MANIFEST_FILE).and_then(|path| path.strip_suffix('/')) else { continue };
            if below.is_none() && key.starts_with(IMPORTED) {
                continue;
            }
            let Ok(path) = format!("/{path}").parse::<StorePath>() else { continue };
            if let AtManifest::Ours(manifest) = self.read_manifest(&key)? {
                let digest = manifest.digest().to_string();
                found.push(Listed { path, digest, bytes: manifest.total_bytes() });
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn delete(&self, path: &StorePath) -> Result<bool, Error> {
        if matches!(self.look(path)?, Found::Nothing) {
            return Ok(false);
        }
        // First what makes it visible.
        self.blobs.delete(&manifest_key(path))?;
        for (key, _) in self.blobs.list(&format!("{}/", path.relative()))? {
            self.blobs.delete(&key)?;
        }
        Ok(true)
    }

    fn import(&self, path: &StorePath) -> Result<(StorePath, Manifest), Error> {
        tree_import::import(self, path, |to| self.download_tree(path, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blobs::MemoryBlobs;

    #[test]
    fn what_an_interrupted_upload_left_is_nothing() {
        let blobs = Arc::new(MemoryBlobs::default());
        let store = ObjectStore::new(blobs.clone());
        let path: StorePath = "/models/dga/1.0".parse().unwrap();
        blobs.put(&file_key(&path, &hash::of_bytes(b"x")), &mut &b"x"[..], 1).unwrap();
        assert_eq!(store.look(&path).unwrap(), Found::Nothing);
        assert!(store.list(None).unwrap().is_empty());
    }
}
