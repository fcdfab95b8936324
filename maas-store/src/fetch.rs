//! A payload from any store into a directory of this machine: all of it or nothing, every byte checked.

use crate::file::staging::Staging;
use crate::manifest::{FILES_DIR, FileEntry, Manifest};
use crate::payload::{self, Durability};
use crate::store::{Error, Meter, Progress};
use std::fs;
use std::io::Read;
use std::path::Path;

/// Opens a file of a payload; `None` when the store lacks it.
pub(crate) type Open<'a> = &'a mut dyn FnMut(&FileEntry) -> Result<Option<Box<dyn Read + Send>>, Error>;

/// Copies a payload into `to`. A directory that holds it already is left as it is; what else is there goes.
/// `origin` names the payload in errors.
pub(crate) fn fetch(
    manifest: &Manifest,
    origin: &str,
    to: &Path,
    open: Open<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), Error> {
    if payload::holds(to, manifest) {
        return Ok(());
    }
    let staging = Staging::make(to.parent().unwrap_or(Path::new("/")))?;
    let files = staging.dir().join(FILES_DIR);
    fs::create_dir(&files).map_err(|error| payload::write_error("make", &files, error))?;
    let mut meter = Meter::of(manifest);
    for file in manifest.files() {
        let missing = || Error::Changed { path: origin.to_string(), file: file.path.clone() };
        let mut from = open(file)?.ok_or_else(missing)?;
        let source = Path::new(origin).join(&file.path);
        let mut seen = |bytes| meter.advance(bytes, &file.path, progress);
        payload::write_file(&mut from, &source, origin, file, &files, Durability::None, &mut seen)?;
        meter.file_done(&file.path, progress);
    }
    payload::write_manifest(staging.dir(), manifest)?;
    staging.replace(to)
}
