//! Checks of a model directory before anything of it is sent: exactly one script, nothing that leads out of it.
//!
//! Symbolic links are followed and stored as what they point to, as long as that lies inside the directory. Not taken,
//! and said so: `endpoint.dat` at the top (a run left it there) and `.git` anywhere. Reading and hashing the bytes is
//! [`Bundle::manifest`]; sending them is the store's.

use crate::hash::{self, Copied, CopyError};
use crate::manifest::{self, FileEntry, Manifest};
use crate::path::{self, MAX_PART};
use crate::settings::{self, Settings};
use crate::store::{Meter, Progress};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Written by a model that runs; never part of a payload.
pub const ENDPOINT_FILE: &str = "endpoint.dat";
const GIT: &str = ".git";

/// How large a model directory may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files; 50,000 unless said otherwise.
    pub files: usize,
    /// Bytes altogether; 1 TiB unless said otherwise.
    pub bytes: u64,
    /// Directories within each other; 64 unless said otherwise.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { files: 50_000, bytes: 1 << 40, depth: 64 }
    }
}

/// Why a directory is no model directory.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not there.
    #[error("{dir} is not there")]
    Missing {
        /// Which.
        dir: PathBuf,
    },
    /// A file, or something else.
    #[error("{dir} is no directory; give the directory with the model's .sh")]
    NotDirectory {
        /// Which.
        dir: PathBuf,
    },
    /// No files.
    #[error("{dir} holds no files; a model needs a .sh that starts it")]
    Empty {
        /// Which.
        dir: PathBuf,
    },
    /// Nothing to start.
    #[error("{dir} has no .sh at the top; exactly one starts the model")]
    NoScript {
        /// Which.
        dir: PathBuf,
    },
    /// Too much to start.
    #[error("{dir} has {count} .sh at the top ({names}); exactly one starts the model, move the others into a directory", count = scripts.len(), names = scripts.join(", "))]
    Scripts {
        /// Which.
        dir: PathBuf,
        /// Their names.
        scripts: Vec<String>,
    },
    /// A link that leads out.
    #[error("{link} leads out of the model directory, to {target}; put a copy in its place")]
    LinkOut {
        /// The link, relative.
        link: String,
        /// What it says.
        target: PathBuf,
    },
    /// A link that leads nowhere.
    #[error("{link} leads nowhere: there is no {target}; remove it")]
    LinkBroken {
        /// The link, relative.
        link: String,
        /// What it says.
        target: PathBuf,
    },
    /// A link to a directory it lies in.
    #[error("{link} leads to a directory it lies in; remove it")]
    LinkLoop {
        /// The link, relative.
        link: String,
    },
    /// A socket, pipe or device.
    #[error("{file} is no file, directory or link; remove it")]
    Special {
        /// Which, relative.
        file: String,
    },
    /// A name that can't be stored.
    #[error("{file} has a name that can't be stored; rename it")]
    Name {
        /// Which, as well as it can be shown.
        file: String,
        /// Why, when it is more than not being UTF-8.
        #[source]
        source: Option<path::Error>,
    },
    /// Can't be opened or listed.
    #[error("{file} can't be read")]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Over the limit.
    #[error("{dir} holds more than {limit} files; pack them into an archive that the script unpacks")]
    TooManyFiles {
        /// Which.
        dir: PathBuf,
        /// How many may be there.
        limit: usize,
    },
    /// Over the limit.
    #[error("{dir} is nested deeper than {limit} directories")]
    TooDeep {
        /// Which.
        dir: PathBuf,
        /// How deep it may be.
        limit: usize,
    },
    /// Over the limit.
    #[error("{dir} holds more than {limit} bytes")]
    TooLarge {
        /// Which.
        dir: PathBuf,
        /// How many it may hold.
        limit: u64,
    },
    /// `maas.json` or `maas.yaml`.
    #[error("settings of {dir} can't be used")]
    Settings {
        /// Which.
        dir: PathBuf,
        /// Why.
        #[source]
        source: settings::Error,
    },
    /// Not the file it was.
    #[error("{file} changed while it was read; try again when nothing writes to it")]
    Changed {
        /// Which, relative.
        file: String,
    },
    /// The files do not make a payload.
    #[error("{dir} is no payload")]
    Manifest {
        /// Which.
        dir: PathBuf,
        /// Why.
        #[source]
        source: manifest::Error,
    },
}

impl Error {
    /// The code from the fixed list of errors.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Missing { .. } | Error::NotDirectory { .. } => "not_directory",
            Error::Empty { .. } => "empty",
            Error::NoScript { .. } => "no_script",
            Error::Scripts { .. } => "two_scripts",
            Error::LinkOut { .. } | Error::LinkBroken { .. } => "link_out",
            Error::LinkLoop { .. } => "link_loop",
            Error::Special { .. } => "special_file",
            Error::Name { source: None, .. } => "not_utf8",
            Error::Name { .. } => "bad_path",
            Error::Unreadable { .. } => "unreadable",
            Error::TooManyFiles { .. } => "too_many_files",
            Error::TooDeep { .. } => "too_deep",
            Error::TooLarge { .. } => "too_large",
            Error::Settings { source: settings::Error::Both, .. } => "two_settings",
            Error::Settings { .. } => "bad_settings",
            Error::Changed { .. } => "changed_while_read",
            Error::Manifest { .. } => "bad_manifest",
        }
    }
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFile {
    /// Path inside the payload, `/` between parts.
    pub path: String,
    /// Where its bytes are.
    pub source: PathBuf,
    /// Bytes, when it was looked at.
    pub size: u64,
    /// Whether it may be executed.
    pub executable: bool,
}

/// A model directory that passed all checks.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    dir: PathBuf,
    files: Vec<BundleFile>,
    skipped: Vec<String>,
    script: String,
    settings: Settings,
}

impl Bundle {
    /// Checks a directory. Reads names and sizes, and the settings; opens every file, reads none.
    pub fn check(dir: &Path, limits: &Limits) -> Result<Bundle, Error> {
        let Found { files, skipped } = walk(dir, limits)?;
        if files.is_empty() {
            return Err(Error::Empty { dir: dir.to_path_buf() });
        }
        let mut scripts: Vec<String> =
            files.iter().filter(|file| manifest::is_script(&file.path)).map(|file| file.path.clone()).collect();
        let script = match (scripts.pop(), scripts.is_empty()) {
            (Some(script), true) => script,
            (Some(last), false) => {
                scripts.push(last);
                return Err(Error::Scripts { dir: dir.to_path_buf(), scripts });
            }
            (None, _) => return Err(Error::NoScript { dir: dir.to_path_buf() }),
        };
        for file in &files {
            let unreadable = |source| Error::Unreadable { file: file.source.clone(), source };
            File::open(&file.source).map_err(unreadable)?;
        }
        let settings = settings::from_dir(dir).map_err(|source| Error::Settings { dir: dir.to_path_buf(), source })?;
        Ok(Bundle { dir: dir.to_path_buf(), files, skipped, script, settings })
    }

    /// Reads and hashes all files. Files that are not what they were when they were checked are an error.
    pub fn manifest(&self, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Manifest, Error> {
        let mut meter = Meter::new(self.total_bytes(), self.files.len());
        let mut entries = Vec::with_capacity(self.files.len());
        for file in &self.files {
            let unreadable = |source| Error::Unreadable { file: file.source.clone(), source };
            let mut opened = File::open(&file.source).map_err(unreadable)?;
            let mut seen = |bytes| meter.advance(bytes, &file.path, progress);
            let copied = match hash::copy(&mut opened, &mut io::sink(), file.size, &mut seen) {
                Ok(copied) if copied.size == file.size => copied,
                Ok(_) => return Err(Error::Changed { file: file.path.clone() }),
                Err(CopyError::Read(source) | CopyError::Write(source)) => return Err(unreadable(source)),
            };
            meter.file_done(&file.path, progress);
            let Copied { size, sha256 } = copied;
            entries.push(FileEntry { path: file.path.clone(), size, sha256, executable: file.executable });
        }
        Manifest::new(entries, self.settings.clone())
            .map_err(|source| Error::Manifest { dir: self.dir.clone(), source })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
    /// Its files, ordered by path.
    pub fn files(&self) -> &[BundleFile] {
        &self.files
    }
    /// What is there and not part of the payload (`endpoint.dat`, `.git`): to be said.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }
    /// The script that starts the model.
    pub fn script(&self) -> &str {
        &self.script
    }
    /// What `maas.json` says.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
    /// Bytes of all files.
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Adds files under other paths as well; used by the import of Metron's trees.
    pub(crate) fn extend(&mut self, more: Vec<BundleFile>) {
        self.files.extend(more);
        self.files.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
    }
}

/// How many scripts a directory has at its top; `None` when it is no readable directory. For "is this a model directory?".
pub(crate) fn count_scripts(dir: &Path) -> Option<usize> {
    let names = fs::read_dir(dir).ok()?.filter_map(Result::ok);
    let is_script = |entry: &fs::DirEntry| {
        entry.file_name().to_str().is_some_and(manifest::is_script)
            && fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_file())
    };
    Some(names.filter(is_script).count())
}

#[derive(Default)]
struct Found {
    files: Vec<BundleFile>,
    skipped: Vec<String>,
}

struct Walk<'a> {
    top: &'a Path,
    real_top: PathBuf,
    limits: &'a Limits,
    found: Found,
    bytes: u64,
}

fn walk(dir: &Path, limits: &Limits) -> Result<Found, Error> {
    let metadata = match fs::metadata(dir) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::Missing { dir: dir.to_path_buf() });
        }
        Err(source) => return Err(Error::Unreadable { file: dir.to_path_buf(), source }),
    };
    if !metadata.is_dir() {
        return Err(Error::NotDirectory { dir: dir.to_path_buf() });
    }
    let real_top = dir.canonicalize().map_err(|source| Error::Unreadable { file: dir.to_path_buf(), source })?;
    let mut walk = Walk { top: dir, real_top: real_top.clone(), limits, found: Found::default(), bytes: 0 };
    walk.directory("", &real_top, &mut vec![real_top.clone()])?;
    walk.found.files.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
    Ok(walk.found)
}

impl Walk<'_> {
    /// `real` is without links; `above` holds it and all real directories on the way to it.
    fn directory(&mut self, relative: &str, real: &Path, above: &mut Vec<PathBuf>) -> Result<(), Error> {
        if above.len() > self.limits.depth {
            return Err(Error::TooDeep { dir: self.top.to_path_buf(), limit: self.limits.depth });
        }
        let unreadable = |source| Error::Unreadable { file: real.to_path_buf(), source };
        let mut names = Vec::new();
        for entry in fs::read_dir(real).map_err(unreadable)? {
            names.push(entry.map_err(unreadable)?.file_name());
            // A directory of millions must not fill the memory before it is refused.
            if names.len() > self.limits.files.saturating_mul(2) {
                return Err(self.too_many());
            }
        }
        names.sort();
        for name in names {
            let shown = join(relative, &name.to_string_lossy());
            let Some(text) = name.to_str() else {
                return Err(Error::Name { file: shown.escape_debug().to_string(), source: None });
            };
            if text == GIT || (relative.is_empty() && text == ENDPOINT_FILE) {
                self.found.skipped.push(shown);
                continue;
            }
            if text.len() > MAX_PART || path::check_file(&shown).is_err() {
                let source = path::check_file(&shown).err();
                return Err(Error::Name { file: shown.escape_debug().to_string(), source });
            }
            self.entry(&shown, &real.join(&name), above)?;
        }
        Ok(())
    }

    fn entry(&mut self, relative: &str, full: &Path, above: &mut Vec<PathBuf>) -> Result<(), Error> {
        let unreadable = |source| Error::Unreadable { file: full.to_path_buf(), source };
        let own = fs::symlink_metadata(full).map_err(unreadable)?;
        let (real, metadata) = match own.is_symlink() {
            true => self.follow(relative, full)?,
            false => (full.to_path_buf(), own),
        };
        if metadata.is_dir() {
            if above.contains(&real) {
                return Err(Error::LinkLoop { link: relative.to_string() });
            }
            above.push(real.clone());
            self.directory(relative, &real, above)?;
            above.pop();
            return Ok(());
        }
        if !metadata.is_file() {
            return Err(Error::Special { file: relative.to_string() });
        }
        self.file(relative, real, &metadata)
    }

    fn follow(&self, link: &str, full: &Path) -> Result<(PathBuf, Metadata), Error> {
        let unreadable = |source| Error::Unreadable { file: full.to_path_buf(), source };
        let target = fs::read_link(full).map_err(unreadable)?;
        let real = match full.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::LinkBroken { link: link.to_string(), target });
            }
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                return Err(Error::LinkLoop { link: link.to_string() });
            }
            Err(source) => return Err(unreadable(source)),
        };
        if !real.starts_with(&self.real_top) {
            return Err(Error::LinkOut { link: link.to_string(), target });
        }
        let metadata = fs::metadata(&real).map_err(unreadable)?;
        Ok((real, metadata))
    }

    fn file(&mut self, relative: &str, source: PathBuf, metadata: &Metadata) -> Result<(), Error> {
        if self.found.files.len() >= self.limits.files {
            return Err(self.too_many());
        }
        self.bytes = self.bytes.saturating_add(metadata.len());
        if self.bytes > self.limits.bytes {
            return Err(Error::TooLarge { dir: self.top.to_path_buf(), limit: self.limits.bytes });
        }
        let executable = metadata.permissions().mode() & 0o111 != 0;
        self.found.files.push(BundleFile { path: relative.to_string(), source, size: metadata.len(), executable });
        Ok(())
    }

    fn too_many(&self) -> Error {
        Error::TooManyFiles { dir: self.top.to_path_buf(), limit: self.limits.files }
    }
}

fn join(relative: &str, name: &str) -> String {
    if relative.is_empty() { name.to_string() } else { format!("{relative}/{name}") }
}
