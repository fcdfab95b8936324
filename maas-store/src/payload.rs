//! A payload on this machine: `manifest.json` beside `files/`. Read, verified, and copied into a working directory.
//!
//! The master's cache holds such directories; a runner copies one into its instance's `work/`, checking every byte, so
//! that no instance ever runs anything but what was published.

use crate::hash::{self, CopyError};
use crate::manifest::{FILES_DIR, FileEntry, MANIFEST_FILE, MAX_BYTES, Manifest};
use crate::store::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Reads and checks a payload directory's manifest; `None` when there is none.
pub fn read(dir: &Path) -> Result<Option<Manifest>, Error> {
    let path = dir.join(MANIFEST_FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(source) => return Err(Error::Io { action: "read", path, source }),
    };
    let mut bytes = Vec::new();
    match file.take(MAX_BYTES + 1).read_to_end(&mut bytes) {
        Ok(_) => {}
        // A directory of that name is no manifest of ours.
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => return Ok(None),
        Err(source) => return Err(Error::Io { action: "read", path, source }),
    }
    let manifest = Manifest::decode(&bytes);
    manifest.map(Some).map_err(|source| Error::Manifest { path: dir.display().to_string(), source })
}

/// Whether all files are there with the sizes of the manifest: cheap, for a cache that was verified when it was made.
pub fn looks_complete(dir: &Path, manifest: &Manifest) -> bool {
    let files = dir.join(FILES_DIR);
    let same_size = |file: &FileEntry| {
        fs::symlink_metadata(files.join(&file.path)).is_ok_and(|found| found.is_file() && found.len() == file.size)
    };
    manifest.files().iter().all(same_size)
}

/// Whether a directory holds this payload already.
pub(crate) fn holds(dir: &Path, manifest: &Manifest) -> bool {
    let same = |there: &Manifest| there.digest() == manifest.digest();
    read(dir).ok().flatten().is_some_and(|there| same(&there) && looks_complete(dir, &there))
}

/// Copies the payload in `dir` into `work`, which is made when it is missing and must hold none of the files.
/// Every byte is checked against the manifest; executable bits are set.
pub fn copy_into(dir: &Path, manifest: &Manifest, work: &Path) -> Result<(), Error> {
    fs::create_dir_all(work).map_err(|source| Error::Io { action: "make", path: work.to_path_buf(), source })?;
    for file in manifest.files() {
        let source = dir.join(FILES_DIR).join(&file.path);
        copy_file(&source, &dir.display().to_string(), file, work, Durability::None, &mut |_| {})?;
    }
    Ok(())
}

/// Whether a written file must outlive a power failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It can be made again.
    None,
    /// It can't.
    Synced,
}

/// Copies one file below `to`, checking it; `origin` names the payload in errors.
pub(crate) fn copy_file(
    source: &Path,
    origin: &str,
    file: &FileEntry,
    to: &Path,
    durability: Durability,
    seen: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let mut opened = match File::open(source) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::Changed { path: origin.to_string(), file: file.path.clone() });
        }
        Err(error) => return Err(Error::Io { action: "read", path: source.to_path_buf(), source: error }),
    };
    write_file(&mut opened, source, origin, file, to, durability, seen)
}

/// Writes one file below `to` from a reader, checking it.
pub(crate) fn write_file(
    from: &mut dyn Read,
    source: &Path,
    origin: &str,
    file: &FileEntry,
    to: &Path,
    durability: Durability,
    seen: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let target = to.join(&file.path);
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(|error| write_error("make", parent, error))?;
    }
    let mode = if file.executable { 0o755 } else { 0o644 };
    let mut written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&target)
        .map_err(|error| write_error("write", &target, error))?;
    let copied = hash::copy(from, &mut written, file.size, seen).map_err(|error| match error {
        CopyError::Read(error) => Error::Io { action: "read", path: source.to_path_buf(), source: error },
        CopyError::Write(error) => write_error("write", &target, error),
    })?;
    if copied.size != file.size || copied.sha256 != file.sha256 {
        return Err(Error::Changed { path: origin.to_string(), file: file.path.clone() });
    }
    if durability == Durability::Synced {
        written.sync_all().map_err(|error| write_error("write", &target, error))?;
    }
    Ok(())
}

/// Writes the manifest into a payload directory and makes it durable.
pub(crate) fn write_manifest(dir: &Path, manifest: &Manifest) -> Result<(), Error> {
    let path = dir.join(MANIFEST_FILE);
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path)?;
        file.write_all(&manifest.encode())?;
        file.sync_all()
    };
    write().map_err(|error| write_error("write", &path, error))
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), Error> {
    let sync = || File::open(dir)?.sync_all();
    sync().map_err(|error| write_error("write", dir, error))
}

pub(crate) fn write_error(action: &'static str, path: &Path, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Error::NoSpace { path: path.to_path_buf(), source }
        }
        _ => Error::Io { action, path: path.to_path_buf(), source },
    }
}
