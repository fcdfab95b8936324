//! Named patterns: our own, the files' that every sensor sees, and those of the file a sensor names.

use std::collections::BTreeMap;

use super::builtin::PATTERNS;

/// Patterns by name, and files of patterns by path.
#[derive(Debug, Clone)]
pub struct Library {
    patterns: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
}

impl Default for Library {
    fn default() -> Self {
        Self::new([])
    }
}

impl Library {
    /// A library with files of patterns by their path below `patterns/`. The file `common` is seen by all sensors and stands for ours of the same names.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files: BTreeMap<String, String> =
            files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
        let mut patterns: BTreeMap<String, String> =
            PATTERNS.iter().map(|(name, pattern)| ((*name).to_owned(), (*pattern).to_owned())).collect();
        if let Some(common) = files.get("common") {
            patterns.extend(definitions(common));
        }
        Self { patterns, files }
    }

    /// With the patterns of a file, whose path may be one of the original's file system: `/patterns/squid`, `/apps/metron/patterns/squid`. None where there
    /// is no such file.
    pub fn with(&self, path: &str) -> Option<Self> {
        let text = self.files.get(Self::below(path))?;
        let mut library = self.clone();
        library.patterns.extend(definitions(text));
        Some(library)
    }

    /// What a path of the original's file system is called below `patterns/`.
    pub(crate) fn below(path: &str) -> &str {
        path.rsplit_once("patterns/").map_or(path, |(_, below)| below).trim_start_matches('/')
    }

    /// With these patterns, in the form of a file.
    pub fn with_text(&self, text: &str) -> Self {
        let mut library = self.clone();
        library.patterns.extend(definitions(text));
        library
    }

    /// The pattern of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.patterns.get(name).map(String::as_str)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.patterns.keys().map(String::as_str)
    }
}

/// Lines `NAME pattern`; others are comments.
fn definitions(text: &str) -> impl Iterator<Item = (String, String)> {
    text.lines().filter_map(|line| {
        let (name, pattern) = line.split_once([' ', '\t'])?;
        let is_name = !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
        is_name.then(|| (name.to_owned(), pattern.trim_start().to_owned()))
    })
}
