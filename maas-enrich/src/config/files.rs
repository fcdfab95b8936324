//! The files of a configuration by name, wherever they come from: `global.json`, `parsers/squid.json`, `patterns/common` …
//!
//! [`Files::from_directory`] reads a directory; ZooKeeper's side is `topology`. Nothing is interpreted here.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error as ThisError;

/// Largest file that is read.
const LARGEST: u64 = 4 << 20;
/// Directories of sensors' files, each with one `.json` a sensor.
pub const KINDS: &[&str] = &["parsers", "enrichments", "indexing"];

/// A directory that can't be read as a configuration.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Reading failed.
    #[error("{path} can't be read")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not text.
    #[error("{path} is not UTF-8 text")]
    NotText {
        /// Which.
        path: PathBuf,
    },
    /// Too large.
    #[error("{path} has {bytes} bytes; at most {LARGEST}")]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// How many.
        bytes: u64,
    },
}

/// Texts by their path below the configuration's root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(pub BTreeMap<String, String>);

impl Files {
    /// The text of a file.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Patterns: their path below `patterns/`, and their text.
    pub fn patterns(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, text)| Some((name.strip_prefix("patterns/")?, text.as_str())))
    }

    /// Sensors that have a parser.
    pub fn sensors(&self) -> impl Iterator<Item = &str> {
        self.0.keys().filter_map(|name| name.strip_prefix("parsers/")?.strip_suffix(".json"))
    }

    /// Reads a directory: its global.json, the JSON files of [`KINDS`] and other kinds, and all below `patterns`. One that holds `zookeeper/`, as the
    /// original's installation does, stands for that. Hidden files are left out.
    pub fn from_directory(directory: &Path) -> Result<Self, Error> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Unreadable { path, source }
        };
        let inner = directory.join("zookeeper");
        let root = if !directory.join("global.json").exists() && !directory.join("parsers").exists() && inner.is_dir() {
            inner
        } else {
            directory.to_owned()
        };
        let mut files = BTreeMap::new();
        let mut pending = vec![(root.clone(), String::new(), 0)];
        while let Some((path, prefix, depth)) = pending.pop() {
            for entry in fs::read_dir(&path).map_err(unreadable(&path))? {
                let entry = entry.map_err(unreadable(&path))?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                if name.starts_with('.') {
                    continue;
                }
                let path = entry.path();
                let found = fs::metadata(&path).map_err(unreadable(&path))?;
                let name = format!("{prefix}{name}");
                if found.is_dir() && depth < 4 {
                    pending.push((path, format!("{name}/"), depth + 1));
                } else if found.is_file() && (name.ends_with(".json") || name.starts_with("patterns/")) {
                    if found.len() > LARGEST {
                        return Err(Error::TooLarge { path, bytes: found.len() });
                    }
                    let bytes = fs::read(&path).map_err(unreadable(&path))?;
                    files.insert(name, String::from_utf8(bytes).map_err(|_| Error::NotText { path })?);
                }
            }
        }
        Ok(Self(files))
    }
}
