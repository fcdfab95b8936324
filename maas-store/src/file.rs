//! The model store in a directory of this machine, or of a file system that all machines mount.
//!
//! `<root>/<path>/manifest.json` and `<root>/<path>/files/…`. A payload is made below `<root>/.tmp` and renamed into
//! place when it is complete and on disk, so that whatever happens nobody sees half of it. What interrupted programs
//! left below `.tmp` is cleared by later ones; a lock file tells the living from the dead.

mod denied;
pub(crate) mod staging;

use crate::bundle::{self, Bundle, Limits};
use crate::fetch;
use crate::location::Location;
use crate::manifest::{FILES_DIR, FileEntry, Manifest};
use crate::path::StorePath;
use crate::payload::{self, Durability};
use crate::store::{Error, Found, Listed, Meter, ModelStore, Progress, Put};
use crate::tree_import;
use staging::Staging;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

const IMPORTED_DIR: &str = ".imported";

/// A store in a directory. Made when something is first put there.
#[derive(Debug, Clone)]
pub struct FileStore {
    root: PathBuf,
}

impl FileStore {
    /// The store in this directory.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        FileStore { root: root.into() }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn dir(&self, path: &StorePath) -> PathBuf {
        path.below(&self.root)
    }

    fn put_new(
        &self,
        path: &StorePath,
        bundle: &Bundle,
        manifest: &Manifest,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Put, Error> {
        let staging = Staging::make(&self.root)?;
        let files = staging.dir().join(FILES_DIR);
        fs::create_dir(&files).map_err(|error| payload::write_error("make", &files, error))?;
        let mut meter = Meter::of(manifest);
        let origin = bundle.dir().display().to_string();
        let sources = bundle.files().iter().map(|file| (file.path.as_str(), file.source.as_path()));
        let sources: std::collections::BTreeMap<&str, &Path> = sources.collect();
        for file in manifest.files() {
            let changed = || bundle::Error::Changed { file: file.path.clone() };
            let source = sources.get(file.path.as_str()).ok_or_else(changed)?;
            let mut seen = |bytes| meter.advance(bytes, &file.path, progress);
            match payload::copy_file(source, &origin, file, &files, Durability::Synced, &mut seen) {
                Err(Error::Changed { .. }) => return Err(changed().into()),
                other => other?,
            }
            meter.file_done(&file.path, progress);
        }
        sync_dirs(&files, manifest)?;
        payload::write_manifest(staging.dir(), manifest)?;
        payload::sync_dir(staging.dir())?;
        self.publish(path, staging, manifest)
    }

    /// Renames a complete payload into place; another that was faster decides.
    fn publish(&self, path: &StorePath, staging: Staging, manifest: &Manifest) -> Result<Put, Error> {
        let target = self.dir(path);
        let parent = target.parent().unwrap_or(&self.root).to_path_buf();
        fs::create_dir_all(&parent).map_err(|error| payload::write_error("make", &parent, error))?;
        match staging.rename_to(&target) {
            Ok(()) => {
                payload::sync_dir(&parent)?;
                Ok(Put::Written)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {
                self.compare(path, manifest)?.ok_or(Error::Io { action: "write", path: target, source: error })
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(Error::Conflict { path: path.clone(), difference: "a file is in its place".into() })
            }
            Err(error) => Err(payload::write_error("write", &target, error)),
        }
    }

    /// What is under the path against what should be: `None` when nothing is.
    fn compare(&self, path: &StorePath, manifest: &Manifest) -> Result<Option<Put>, Error> {
        self.look(path)?.against(path, manifest)
    }

    fn look_at(&self, path: &StorePath) -> Result<Found, Error> {
        let dir = self.dir(path);
        // A `files` directory makes the difference to a model that has a manifest.json of its own.
        if dir.join(FILES_DIR).is_dir()
            && let Some(manifest) = payload::read(&dir)?
        {
            return Ok(Found::Payload(Box::new(manifest)));
        }
        match fs::read_dir(&dir) {
            Ok(mut entries) => Ok(match entries.next() {
                None => Found::Nothing,
                Some(_) => Found::Tree { scripts: bundle::count_scripts(&dir).unwrap_or(0) },
            }),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(Found::Nothing)
            }
            Err(source) => Err(Error::Io { action: "read", path: dir, source }),
        }
    }

    fn fetch_into(
        &self,
        path: &StorePath,
        to: &Path,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Manifest, Error> {
        let dir = self.dir(path).join(FILES_DIR);
        let manifest = self.manifest(path)?;
        let mut open = |file: &FileEntry| {
            let source = dir.join(&file.path);
            match File::open(&source) {
                Ok(opened) => Ok(Some(Box::new(opened) as Box<dyn Read + Send>)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Error::Io { action: "read", path: source, source: error }),
            }
        };
        fetch::fetch(&manifest, path.as_str(), to, &mut open, progress)?;
        Ok(manifest)
    }

    fn list_into(&self, dir: &Path, path: &str, found: &mut Vec<Listed>, depth: usize) -> Result<(), Error> {
        if depth > Limits::default().depth {
            return Ok(());
        }
        let mut is_payload = false;
        if let (Ok(checked), true) = (path.parse::<StorePath>(), dir.join(FILES_DIR).is_dir())
            && let Ok(Some(manifest)) = payload::read(dir)
        {
            let digest = manifest.digest().to_string();
            found.push(Listed { path: checked, digest, bytes: manifest.total_bytes() });
            is_payload = true;
        }
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(());
            }
            Err(source) => return Err(Error::Io { action: "read", path: dir.to_path_buf(), source }),
        };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let hidden = depth == 0 && path.is_empty() && (name == staging::TMP_DIR || name == IMPORTED_DIR);
            let hidden = hidden || (is_payload && name == FILES_DIR);
            if !hidden && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.list_into(&entry.path(), &format!("{path}/{name}"), found, depth + 1)?;
            }
        }
        Ok(())
    }
}

/// Makes the names in all directories of a payload durable.
fn sync_dirs(files: &Path, manifest: &Manifest) -> Result<(), Error> {
    let mut dirs = std::collections::BTreeSet::from([files.to_path_buf()]);
    for file in manifest.files() {
        let parents = Path::new(&file.path).ancestors().skip(1);
        dirs.extend(parents.map(|parent| files.join(parent)));
    }
    dirs.iter().try_for_each(|dir| payload::sync_dir(dir))
}

impl ModelStore for FileStore {
    fn url(&self) -> String {
        Location::File(self.root.clone()).to_string()
    }

    fn look(&self, path: &StorePath) -> Result<Found, Error> {
        self.look_at(path).map_err(denied::explain)
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
            None => self.put_new(path, bundle, manifest, progress).map_err(denied::explain),
        }
    }

    fn fetch(&self, path: &StorePath, to: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Manifest, Error> {
        self.fetch_into(path, to, progress).map_err(denied::explain)
    }

    fn list(&self, below: Option<&StorePath>) -> Result<Vec<Listed>, Error> {
        let mut found = Vec::new();
        let (dir, path) = match below {
            Some(path) => (self.dir(path), path.as_str()),
            None => (self.root.clone(), ""),
        };
        self.list_into(&dir, path, &mut found, 0).map_err(denied::explain)?;
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn delete(&self, path: &StorePath) -> Result<bool, Error> {
        let dir = self.dir(path);
        if matches!(self.look(path)?, Found::Nothing) {
            return Ok(false);
        }
        Staging::make(&self.root).and_then(|staging| staging.take(&dir)).map_err(denied::explain)
    }

    fn import(&self, path: &StorePath) -> Result<(StorePath, Manifest), Error> {
        match self.look(path)? {
            Found::Payload(manifest) => return Ok((path.clone(), *manifest)),
            Found::Nothing => return Err(Error::NotFound { store: self.url(), path: path.clone() }),
            Found::Tree { .. } => {}
        }
        let bundle = tree_import::bundle_of(&self.dir(path))?;
        let manifest = bundle.manifest(&mut |_| {})?;
        let imported = StorePath::imported(manifest.digest())?;
        self.put(&imported, &bundle, &manifest, &mut |_| {})?;
        Ok((imported, manifest))
    }
}
