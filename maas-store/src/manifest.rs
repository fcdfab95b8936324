//! What a payload consists of: files with sizes, SHA-256 and executable bits, a digest of the whole, and its settings.
//!
//! The digest covers paths, bytes and executable bits, in the order of the paths' bytes, and nothing else: the same
//! content has the same digest wherever and whenever it is published. A manifest read from anywhere is checked before
//! a path of it is used.

use crate::hash;
use crate::path;
use crate::settings::{self, Settings};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name of the manifest beside `files/`.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Name of the directory that holds the payload's files.
pub const FILES_DIR: &str = "files";
/// The format this library writes.
pub const FORMAT: u32 = 1;
/// The longest manifest that is read, bytes.
pub const MAX_BYTES: u64 = 64 << 20;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Relative path, `/` between parts.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
    /// Whether it may be executed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

/// A payload's description. Made by [`Manifest::new`] or read by [`Manifest::decode`], so that it always holds together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    digest: String,
    script: String,
    files: Vec<FileEntry>,
    #[serde(default)]
    settings: Settings,
}

/// Why a manifest can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No JSON of a manifest.
    #[error("manifest can't be read")]
    Json(#[source] serde_json::Error),
    /// Longer than any manifest we write.
    #[error("manifest has {bytes} bytes; at most {MAX_BYTES}")]
    TooLong {
        /// How many.
        bytes: u64,
    },
    /// Written by a newer program.
    #[error("manifest has format {found}; this program reads {FORMAT}")]
    Format {
        /// What it says.
        found: u32,
    },
    /// A path that could leave the payload.
    #[error("manifest names a path that can't be used")]
    Path(#[source] path::Error),
    /// A path twice, or a file where another's directory is.
    #[error("manifest: {path:?} is there twice, or is a file and a directory")]
    Twice {
        /// The path.
        path: String,
    },
    /// A hash that is none.
    #[error("manifest: {path:?} has no SHA-256")]
    Hash {
        /// The file.
        path: String,
    },
    /// None or several scripts at the top.
    #[error("manifest: the top level has {count} .sh; exactly one starts the model")]
    Script {
        /// How many there are.
        count: usize,
    },
    /// The digest is not that of the files.
    #[error("manifest's digest {said} is not that of its files, {computed}")]
    Digest {
        /// What it says.
        said: String,
        /// What its files amount to.
        computed: String,
    },
    /// Settings out of range.
    #[error("manifest's settings can't be used")]
    Settings(#[source] settings::Error),
}

impl Manifest {
    /// Describes files, in any order.
    pub fn new(mut files: Vec<FileEntry>, settings: Settings) -> Result<Manifest, Error> {
        files.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
        let script = check_files(&files)?;
        settings.check().map_err(Error::Settings)?;
        Ok(Manifest { format: FORMAT, digest: digest_of(&files), script, files, settings })
    }

    /// Reads and checks a manifest's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Manifest, Error> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Error::TooLong { bytes: bytes.len() as u64 });
        }
        #[derive(Deserialize)]
        struct OnlyFormat {
            format: u32,
        }
        let OnlyFormat { format } = serde_json::from_slice(bytes).map_err(Error::Json)?;
        if format > FORMAT {
            return Err(Error::Format { found: format });
        }
        let said: Manifest = serde_json::from_slice(bytes).map_err(Error::Json)?;
        let made = Manifest::new(said.files, said.settings)?;
        if made.digest != said.digest {
            return Err(Error::Digest { said: said.digest, computed: made.digest });
        }
        Ok(made)
    }

    /// The bytes as they are stored.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a manifest holds only text, numbers and lists");
        bytes.push(b'\n');
        bytes
    }

    /// `sha256:` and 64 hex digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The digest's hex digits: a name for directories.
    pub fn digest_hex(&self) -> &str {
        self.digest.strip_prefix("sha256:").unwrap_or(&self.digest)
    }

    /// The file at the top level that starts the model.
    pub fn script(&self) -> &str {
        &self.script
    }

    /// The files, ordered by path.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// What `maas.json` said, with defaults.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Bytes of all files.
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }

    /// The first file in which two payloads differ, with what differs; `None` when they are the same.
    pub fn difference(&self, other: &Manifest) -> Option<String> {
        let mine: BTreeMap<&str, &FileEntry> = self.files.iter().map(|file| (file.path.as_str(), file)).collect();
        let theirs: BTreeMap<&str, &FileEntry> = other.files.iter().map(|file| (file.path.as_str(), file)).collect();
        for (path, file) in &theirs {
            match mine.get(path) {
                None => return Some(format!("{path} is new")),
                Some(own) if own.sha256 != file.sha256 => return Some(format!("{path} has other bytes")),
                Some(own) if own.executable != file.executable => {
                    let now = if file.executable { "is executable now" } else { "is not executable now" };
                    return Some(format!("{path} {now}"));
                }
                Some(_) => {}
            }
        }
        mine.keys().find(|path| !theirs.contains_key(*path)).map(|path| format!("{path} is missing"))
    }
}

/// Whether a top-level file's name makes it the script.
pub(crate) fn is_script(path: &str) -> bool {
    !path.contains('/') && path.ends_with(".sh")
}

/// Checks sorted files against each other and finds the script.
fn check_files(files: &[FileEntry]) -> Result<String, Error> {
    let mut paths = std::collections::BTreeSet::new();
    for file in files {
        path::check_file(&file.path).map_err(Error::Path)?;
        if !hash::is_hex(&file.sha256) {
            return Err(Error::Hash { path: file.path.clone() });
        }
        if !paths.insert(file.path.as_str()) {
            return Err(Error::Twice { path: file.path.clone() });
        }
    }
    for file in files {
        let mut parents = file.path.match_indices('/').map(|(end, _)| &file.path[..end]);
        if let Some(both) = parents.find(|parent| paths.contains(parent)) {
            return Err(Error::Twice { path: both.to_string() });
        }
    }
    let scripts: Vec<&FileEntry> = files.iter().filter(|file| is_script(&file.path)).collect();
    match scripts.as_slice() {
        [script] => Ok(script.path.clone()),
        several => Err(Error::Script { count: several.len() }),
    }
}

fn digest_of(sorted: &[FileEntry]) -> String {
    let mut text = String::from("maas-payload 1\n");
    for file in sorted {
        let kind = if file.executable { 'x' } else { '-' };
        text.push_str(&format!("{}\0{}\0{}\0{kind}\n", file.path, file.size, file.sha256));
    }
    format!("sha256:{}", hash::of_bytes(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> FileEntry {
        FileEntry { path: path.into(), size: 1, sha256: hash::of_bytes(path.as_bytes()), executable: false }
    }

    fn manifest(paths: &[&str]) -> Result<Manifest, Error> {
        Manifest::new(paths.iter().map(|path| entry(path)).collect(), Settings::default())
    }

    #[test]
    fn order_does_not_matter_and_bytes_read_back_equal() {
        let one = manifest(&["run.sh", "a/b", "a.txt"]).unwrap();
        let other = manifest(&["a.txt", "run.sh", "a/b"]).unwrap();
        assert_eq!(one, other);
        assert_eq!(Manifest::decode(&one.encode()).unwrap(), one);
        assert_eq!(one.script(), "run.sh");
        assert!(one.digest().starts_with("sha256:") && hash::is_hex(one.digest_hex()));
        assert_eq!(one.total_bytes(), 3);
    }

    #[test]
    fn differences_are_named() {
        let one = manifest(&["run.sh", "a"]).unwrap();
        assert_eq!(one.difference(&one), None);
        assert_eq!(one.difference(&manifest(&["run.sh"]).unwrap()).unwrap(), "a is missing");
        assert_eq!(one.difference(&manifest(&["run.sh", "a", "b"]).unwrap()).unwrap(), "b is new");
        let mut files = one.files().to_vec();
        files[0].executable = true;
        let executable = Manifest::new(files, Settings::default()).unwrap();
        assert_eq!(one.difference(&executable).unwrap(), "a is executable now");
        assert_ne!(one.digest(), executable.digest());
    }

    #[test]
    fn a_manifest_that_could_write_elsewhere_or_lies_is_refused() {
        for bad in [&["run.sh", "../x"][..], &["run.sh", "/etc/passwd"], &["run.sh", "a", "a/b"], &["run.sh", "run.sh"]]
        {
            assert!(manifest(bad).is_err(), "{bad:?}");
        }
        assert!(matches!(manifest(&["x/run.sh"]), Err(Error::Script { count: 0 })));
        assert!(matches!(manifest(&["a.sh", "b.sh"]), Err(Error::Script { count: 2 })));
        let text = String::from_utf8(manifest(&["run.sh"]).unwrap().encode()).unwrap();
        let lie = text.replace("\"size\": 1", "\"size\": 2");
        assert!(matches!(Manifest::decode(lie.as_bytes()), Err(Error::Digest { .. })));
        let newer = text.replace("\"format\": 1", "\"format\": 2");
        assert!(matches!(Manifest::decode(newer.as_bytes()), Err(Error::Format { found: 2 })));
        assert!(matches!(Manifest::decode(b"null"), Err(Error::Json(_))));
    }
}
