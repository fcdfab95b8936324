//! The model store in HDFS.
//!
//! As in a directory of this machine: `<path>/manifest.json` beside `<path>/files/…`, permissions kept. A payload is
//! made in a directory beside its target and renamed when it is complete; the NameNode lets one of several win. The
//! directory stands beside the target and not below the store's root, because users may write to their own part of
//! HDFS and not to its root.

mod error;
mod files;
mod reader;
mod shared;
mod staging;

pub use reader::SharedReader;
pub use shared::{SharedFile, SharedFiles};

use crate::bundle::{self, Bundle, Limits};
use crate::fetch;
use crate::hash;
use crate::location::Remote;
use crate::manifest::{self, FILES_DIR, FileEntry, MANIFEST_FILE, MAX_BYTES, Manifest};
use crate::path::{self, StorePath};
use crate::payload;
use crate::store::{Error, Found, Listed, Meter, ModelStore, Progress, Put};
use crate::tree_import;
use files::{Closing, Entry, Files, Renamed};
use staging::Staging;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const IMPORTED_DIR: &str = ".imported";
/// How often a rename is tried where an empty directory is in its way.
const RENAMES: usize = 3;
/// How many files of a payload may be closed at once.
const CLOSING_AT_ONCE: usize = 16;

/// A store in HDFS.
#[derive(Debug, Clone)]
pub struct HdfsStore {
    files: Files,
    url: String,
    /// Empty, or absolute without a slash at its end.
    root: String,
}

impl HdfsStore {
    /// The store at `hdfs://HOST:PORT/ROOT`. Host and port may be missing, or be a name service: then Hadoop's
    /// configuration knows them (`$HADOOP_CONF_DIR`, else `$HADOOP_HOME/etc/hadoop`). Sends nothing yet.
    pub fn open(place: &Remote) -> Result<HdfsStore, Error> {
        let root = if place.root.is_empty() { String::new() } else { format!("/{}", place.root) };
        Ok(HdfsStore { files: Files::open(place)?, url: place.url.clone(), root })
    }

    /// A file as it lies there; `None` when there is none.
    pub(crate) fn read_file(&self, path: &StorePath) -> Result<Option<Box<dyn Read + Send>>, Error> {
        self.files.read(&self.dir(path))
    }

    fn dir(&self, path: &StorePath) -> String {
        format!("{}{}", self.root, path.as_str())
    }

    /// What is in a directory, but for payloads in the making; `None` when it is none.
    fn children(&self, dir: &str) -> Result<Option<Vec<Entry>>, Error> {
        let mut children = self.files.list(dir)?;
        if let Some(children) = &mut children {
            children.retain(|child| !staging::is_name(&child.name));
        }
        Ok(children)
    }

    /// The manifest of a payload whose directory holds these.
    fn manifest_among(&self, dir: &str, children: &[Entry]) -> Result<Option<Manifest>, Error> {
        // A `files` directory makes the difference to a model that has a manifest.json of its own.
        let has = |name: &str, directory: bool| {
            children.iter().any(|child| child.name == name && child.is_directory == directory)
        };
        if !has(FILES_DIR, true) || !has(MANIFEST_FILE, false) {
            return Ok(None);
        }
        let path = format!("{dir}/{MANIFEST_FILE}");
        let Some(from) = self.files.read(&path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = from.take(MAX_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|source| self.files.trouble("read", &path, source))?;
        let manifest = Manifest::decode(&bytes);
        manifest.map(Some).map_err(|source| Error::Manifest { path: dir.to_string(), source })
    }

    fn compare(&self, path: &StorePath, manifest: &Manifest) -> Result<Option<Put>, Error> {
        self.look(path)?.against(path, manifest)
    }

    fn put_new(
        &self,
        path: &StorePath,
        bundle: &Bundle,
        manifest: &Manifest,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Put, Error> {
        let target = self.dir(path);
        let parent = target.rsplit_once('/').map_or("/", |(parent, _)| parent);
        let mut staging = Staging::make(&self.files, if parent.is_empty() { "/" } else { parent })?;
        self.make_directories(staging.dir(), manifest)?;
        let sources: BTreeMap<&str, &Path> =
            bundle.files().iter().map(|file| (file.path.as_str(), file.source.as_path())).collect();
        let mut meter = Meter::of(manifest);
        let mut closing = VecDeque::new();
        for file in manifest.files() {
            let changed = || bundle::Error::Changed { file: file.path.clone() };
            let source = sources.get(file.path.as_str()).ok_or_else(changed)?;
            closing.push_back(self.upload(&mut staging, source, file, &mut |bytes| {
                meter.advance(bytes, &file.path, progress);
            })?);
            meter.file_done(&file.path, progress);
            // The manifest, which comes last, is one of them.
            if closing.len() >= CLOSING_AT_ONCE {
                closing.pop_front().map_or(Ok(()), |file| self.files.closed(file))?;
            }
        }
        let path_of_manifest = format!("{}/{MANIFEST_FILE}", staging.dir());
        let (_, last) =
            self.files.write(&path_of_manifest, false, &mut manifest.encode().as_slice(), u64::MAX, &mut |_| {})?;
        closing.into_iter().chain([last]).try_for_each(|file| self.files.closed(file))?;
        self.publish(path, &staging, manifest)
    }

    fn make_directories(&self, staging: &str, manifest: &Manifest) -> Result<(), Error> {
        let parents = manifest.files().iter().filter_map(|file| Path::new(&file.path).parent()?.to_str());
        for parent in parents.collect::<BTreeSet<_>>() {
            self.files.make_directory(format!("{staging}/{FILES_DIR}/{parent}").trim_end_matches('/'))?;
        }
        Ok(())
    }

    fn upload(
        &self,
        staging: &mut Staging<'_>,
        source: &Path,
        file: &FileEntry,
        seen: &mut dyn FnMut(u64),
    ) -> Result<Closing, Error> {
        let mut opened = fs::File::open(source)
            .map_err(|error| bundle::Error::Unreadable { file: source.to_path_buf(), source: error })?;
        let target = format!("{}/{FILES_DIR}/{}", staging.dir(), file.path);
        let mut seen = |bytes| {
            staging.still_alive();
            seen(bytes);
        };
        let (copied, closing) = self.files.write(&target, file.executable, &mut opened, file.size, &mut seen)?;
        match copied.size == file.size && copied.sha256 == file.sha256 {
            true => Ok(closing),
            false => Err(bundle::Error::Changed { file: file.path.clone() }.into()),
        }
    }

    /// Renames a complete payload into place; another that was faster decides.
    fn publish(&self, path: &StorePath, staging: &Staging<'_>, manifest: &Manifest) -> Result<Put, Error> {
        let target = self.dir(path);
        for _ in 0..RENAMES {
            match self.files.rename(staging.dir(), &target)? {
                Renamed::Done => return Ok(Put::Written),
                Renamed::TargetIsThere => {}
            }
            if let Some(put) = self.compare(path, manifest)? {
                return Ok(put);
            }
            match self.files.status(&target)? {
                Some(found) if !found.is_directory => {
                    return Err(Error::Conflict { path: path.clone(), difference: "a file is in its place".into() });
                }
                // An empty directory, which goes unless it has been filled this moment.
                _ => self.files.delete_if_empty(&target)?,
            }
        }
        let source = io::Error::other("other programs keep making and removing it");
        Err(Error::Io { action: "write", path: target.into(), source })
    }

    fn list_into(&self, dir: &str, found: &mut Vec<Listed>, depth: usize) -> Result<(), Error> {
        if depth > Limits::default().depth {
            return Ok(());
        }
        let children = match self.children(if dir.is_empty() { "/" } else { dir }) {
            // Other people's directories are not this store's trouble.
            Err(Error::NotPermitted(denied)) if depth > 0 => {
                tracing::debug!(directory = dir, %denied, "left out of the list");
                return Ok(());
            }
            children => children?.unwrap_or_default(),
        };
        let path = &dir[self.root.len()..];
        if let Ok(checked) = path.parse::<StorePath>()
            && let Ok(Some(manifest)) = self.manifest_among(dir, &children)
        {
            let digest = manifest.digest().to_string();
            found.push(Listed { path: checked, digest, bytes: manifest.total_bytes() });
            return Ok(());
        }
        for child in children.iter().filter(|child| child.is_directory) {
            if !(path.is_empty() && child.name == IMPORTED_DIR) {
                self.list_into(&format!("{dir}/{}", child.name), found, depth + 1)?;
            }
        }
        Ok(())
    }

    /// A tree without a manifest, as files below `to`. Its names come from others: each is checked first.
    fn download_tree(&self, dir: &str, relative: &str, to: &Path, count: &mut usize) -> Result<(), Error> {
        for child in self.children(dir)?.unwrap_or_default() {
            let relative = if relative.is_empty() { child.name.clone() } else { format!("{relative}/{}", child.name) };
            path::check_file(&relative)?;
            let Limits { files, depth, .. } = Limits::default();
            *count += 1;
            if *count > files {
                return Err(bundle::Error::TooManyFiles { dir: dir.into(), limit: files }.into());
            }
            let (source, target) = (format!("{dir}/{}", child.name), to.join(&relative));
            if child.is_directory {
                if relative.split('/').count() > depth {
                    return Err(bundle::Error::TooDeep { dir: source.into(), limit: depth }.into());
                }
                fs::create_dir(&target).map_err(|error| payload::write_error("make", &target, error))?;
                self.download_tree(&source, &relative, to, count)?;
                continue;
            }
            let Some(mut from) = self.files.read(&source)? else { continue };
            let mode = if child.is_executable { 0o755 } else { 0o644 };
            let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(&target);
            let mut written = written.map_err(|error| payload::write_error("write", &target, error))?;
            hash::copy(&mut from, &mut written, u64::MAX - 1, &mut |_| {}).map_err(|error| match error {
                hash::CopyError::Read(error) => self.files.trouble("read", &source, error),
                hash::CopyError::Write(error) => payload::write_error("write", &target, error),
            })?;
        }
        Ok(())
    }
}

impl ModelStore for HdfsStore {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn look(&self, path: &StorePath) -> Result<Found, Error> {
        let dir = self.dir(path);
        let children = self.children(&dir)?.unwrap_or_default();
        if let Some(manifest) = self.manifest_among(&dir, &children)? {
            return Ok(Found::Payload(Box::new(manifest)));
        }
        let is_script = |child: &&Entry| !child.is_directory && manifest::is_script(&child.name);
        Ok(match children.is_empty() {
            true => Found::Nothing,
            false => Found::Tree { scripts: children.iter().filter(is_script).count() },
        })
    }

    fn put(
        &self,
        path: &StorePath,
        bundle: &Bundle,
        manifest: &Manifest,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Put, Error> {
        match self.compare(path, manifest)? {
            Some(put) => Ok(put),
            None => self.put_new(path, bundle, manifest, progress),
        }
    }

    fn fetch(&self, path: &StorePath, to: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Manifest, Error> {
        let manifest = self.manifest(path)?;
        let dir = self.dir(path);
        let mut open = |file: &FileEntry| self.files.read(&format!("{dir}/{FILES_DIR}/{}", file.path));
        fetch::fetch(&manifest, path.as_str(), to, &mut open, progress)?;
        Ok(manifest)
    }

    fn list(&self, below: Option<&StorePath>) -> Result<Vec<Listed>, Error> {
        let mut found = Vec::new();
        let dir = below.map_or_else(|| self.root.clone(), |path| self.dir(path));
        self.list_into(&dir, &mut found, 0)?;
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn delete(&self, path: &StorePath) -> Result<bool, Error> {
        if matches!(self.look(path)?, Found::Nothing) {
            return Ok(false);
        }
        let dir = self.dir(path);
        let parent = dir.rsplit_once('/').map_or("/", |(parent, _)| parent);
        Staging::make(&self.files, if parent.is_empty() { "/" } else { parent })?.take(&dir)
    }

    fn import(&self, path: &StorePath) -> Result<(StorePath, Manifest), Error> {
        tree_import::import(self, path, |to| self.download_tree(&self.dir(path), "", to, &mut 0))
    }
}
