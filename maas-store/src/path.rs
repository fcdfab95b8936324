//! Paths from outside, checked before they touch a disk: inside a store, and of files inside a payload. Pure.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The longest path, bytes.
pub const MAX_LENGTH: usize = 1024;
/// The longest part of a path, bytes; what file systems take.
pub const MAX_PART: usize = 255;

/// Why a text is no path here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing, or nothing but slashes.
    #[error("path {path:?} is empty")]
    Empty {
        /// The text.
        path: String,
    },
    /// A part that would leave the root, or that file systems read as something else.
    #[error("path {path:?}: {part:?} is not allowed in it")]
    Part {
        /// The text.
        path: String,
        /// The offending part.
        part: String,
    },
    /// A control character.
    #[error("path {path:?} has a control character")]
    Control {
        /// The text.
        path: String,
    },
    /// Longer than file systems and stores take.
    #[error("path {path:?} is too long; at most {MAX_LENGTH} bytes, {MAX_PART} between slashes")]
    TooLong {
        /// The text, cut.
        path: String,
    },
    /// A file's path that starts at a root.
    #[error("path {path:?} is absolute")]
    Absolute {
        /// The text.
        path: String,
    },
    /// A store's path that does not start at its root.
    #[error("path {path:?} is not absolute; it starts with / at the store's root")]
    Relative {
        /// The text.
        path: String,
    },
}

/// Checks the path of a file inside a payload: relative, `/` between parts, no `.`, `..`, empty part or control character.
pub fn check_file(path: &str) -> Result<(), Error> {
    if path.starts_with('/') {
        return Err(Error::Absolute { path: cut(path) });
    }
    check_parts(path, path)
}

fn check_parts(whole: &str, relative: &str) -> Result<(), Error> {
    if relative.is_empty() {
        return Err(Error::Empty { path: cut(whole) });
    }
    if relative.len() > MAX_LENGTH {
        return Err(Error::TooLong { path: cut(whole) });
    }
    if relative.chars().any(char::is_control) {
        return Err(Error::Control { path: cut(whole) });
    }
    for part in relative.split('/') {
        if matches!(part, "" | "." | "..") {
            return Err(Error::Part { path: cut(whole), part: part.to_string() });
        }
        if part.len() > MAX_PART {
            return Err(Error::TooLong { path: cut(whole) });
        }
    }
    Ok(())
}

fn cut(path: &str) -> String {
    path.chars().take(200).collect()
}

/// Where a payload lies inside a store: absolute from the store's root, checked, without a slash at its end.
///
/// A url of the same store (`hdfs://host:8020/models/x`, as Metron's clients may write) is read as its path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StorePath(String);

impl StorePath {
    /// Where payloads of Metron's clients are imported to: `/.imported/<64 hex digits>`.
    pub fn imported(digest: &str) -> Result<StorePath, Error> {
        format!("/.imported/{}", digest.strip_prefix("sha256:").unwrap_or(digest)).parse()
    }

    /// One level below.
    pub fn join(&self, part: &str) -> Result<StorePath, Error> {
        format!("{}/{part}", self.0).parse()
    }

    /// The path as text, `/models/dga/1.0`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the slash at its start.
    pub fn relative(&self) -> &str {
        &self.0[1..]
    }

    /// The directory below a store's root on this machine.
    pub fn below(&self, root: &Path) -> PathBuf {
        root.join(self.relative())
    }
}

impl FromStr for StorePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let path = match text.split_once("://") {
            // The authority goes up to the next slash.
            Some((scheme, rest)) if !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
                rest.find('/').map_or("", |slash| &rest[slash..])
            }
            _ => text,
        };
        let trimmed = path.trim_end_matches('/');
        let Some(relative) = trimmed.strip_prefix('/') else {
            return Err(match path.is_empty() || trimmed.is_empty() {
                true => Error::Empty { path: cut(text) },
                false => Error::Relative { path: cut(text) },
            });
        };
        check_parts(text, relative)?;
        Ok(StorePath(trimmed.to_string()))
    }
}

impl fmt::Display for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_that_leave_the_root_are_refused() {
        for bad in ["", "/", "///", "a/b", "/a/../b", "/..", "/a//b", "/a/./b", "/a\nb", "/a\0", "hdfs://host", "x"] {
            assert!(bad.parse::<StorePath>().is_err(), "{bad:?}");
        }
        for bad in ["", "/etc/passwd", "..", "a/..", "../a", "a//b", "./a", "a/", "\u{1b}"] {
            assert!(check_file(bad).is_err(), "{bad:?}");
        }
        assert!("/".repeat(5000).parse::<StorePath>().is_err());
        assert!(check_file(&"x".repeat(256)).is_err());
    }

    #[test]
    fn a_url_of_the_store_is_read_as_its_path() {
        let path: StorePath = "hdfs://node1:8020/user/root/models/".parse().unwrap();
        assert_eq!(path.as_str(), "/user/root/models");
        assert_eq!(path.join("dga").unwrap().as_str(), "/user/root/models/dga");
        assert!(path.join("..").is_err());
        assert_eq!("file:///a/b".parse::<StorePath>().unwrap().as_str(), "/a/b");
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_stays_below_the_root(text in "(/|\\.|\\.\\.|[a-z%:]|\\PC){0,20}") {
            if let Ok(path) = text.parse::<StorePath>() {
                let below = path.below(Path::new("/root/store"));
                prop_assert!(below.starts_with("/root/store"));
                let inside = below.components().skip(3).all(|part| matches!(part, std::path::Component::Normal(_)));
                prop_assert!(inside, "{below:?}");
                prop_assert_eq!(path.as_str().parse::<StorePath>().unwrap(), path);
            }
            if check_file(&text).is_ok() {
                let only_normal = Path::new(&text).components().all(|p| matches!(p, std::path::Component::Normal(_)));
                prop_assert!(only_normal);
            }
        }
    }
}
