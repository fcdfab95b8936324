//! Store urls: which kind of store, and where. Parsing is pure; opening makes the store, without touching the network.

use crate::file::FileStore;
use crate::store::{Error, ModelStore};
use percent_encoding::percent_decode_str;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `file:///var/lib/maas/store`, or the bare path.
    File(PathBuf),
    /// `hdfs://namenode:8020/root`; the authority may be empty (the configuration's default file system).
    Hdfs(String),
    /// `s3://bucket/prefix`.
    S3(String),
}

impl FromStr for Location {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        let bad = |message: &str| Error::Url { url: url.to_string(), message: message.to_string() };
        if url.chars().any(char::is_control) {
            return Err(bad("has a control character"));
        }
        if url.starts_with('/') {
            return Ok(Location::File(checked_root(url.to_string()).map_err(|message| bad(&message))?));
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(bad("is no url of a store; write file:///DIR, hdfs://HOST:PORT/DIR or s3://BUCKET/PREFIX"));
        };
        if rest.contains(['?', '#']) {
            return Err(bad("has a query or fragment, which no store has"));
        }
        match scheme.to_ascii_lowercase().as_str() {
            "file" => {
                let path = rest.strip_prefix("localhost").unwrap_or(rest);
                if !path.starts_with('/') {
                    return Err(bad("names a host; file:///DIR is on this machine"));
                }
                let path = percent_decode_str(path).decode_utf8().map_err(|_| bad("is not UTF-8"))?.into_owned();
                Ok(Location::File(checked_root(path).map_err(|message| bad(&message))?))
            }
            "hdfs" => Ok(Location::Hdfs(url.to_string())),
            "s3" | "s3a" => match rest.split('/').next() {
                None | Some("") => Err(bad("names no bucket; s3://BUCKET/PREFIX")),
                Some(_) => Ok(Location::S3(url.to_string())),
            },
            other => Err(bad(&format!("has scheme {other}; file, hdfs and s3 are known"))),
        }
    }
}

fn checked_root(path: String) -> Result<PathBuf, String> {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return Err("is the root of the file system; choose a directory".to_string());
    }
    let odd = trimmed[1..].split('/').find(|part| matches!(*part, "" | "." | "..") || part.contains('\0'));
    match odd {
        Some(part) => Err(format!("has {part:?} in its path")),
        None => Ok(PathBuf::from(trimmed)),
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::File(root) => write!(f, "file://{}", escape(&root.display().to_string())),
            Location::Hdfs(url) | Location::S3(url) => f.write_str(url),
        }
    }
}

/// Escapes what would be read as something else in a file url, and nothing more.
fn escape(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3F").replace('#', "%23")
}

impl Location {
    /// The store there.
    pub fn open(&self) -> Result<Arc<dyn ModelStore>, Error> {
        match self {
            Location::File(root) => Ok(Arc::new(FileStore::new(root))),
            Location::Hdfs(url) => Err(Error::NotBuilt { url: url.clone(), feature: "hdfs" }),
            Location::S3(url) => Err(Error::NotBuilt { url: url.clone(), feature: "s3" }),
        }
    }
}

/// Parses a url and opens the store there.
pub fn open(url: &str) -> Result<Arc<dyn ModelStore>, Error> {
    url.parse::<Location>()?.open()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_are_parsed_and_bad_ones_refused() {
        let file = |url: &str| match url.parse::<Location>() {
            Ok(Location::File(path)) => path.display().to_string(),
            other => panic!("{url}: {other:?}"),
        };
        assert_eq!(file("file:///var/lib/maas/store/"), "/var/lib/maas/store");
        assert_eq!(file("/var/x"), "/var/x");
        assert_eq!(file("file://localhost/a%20b"), "/a b");
        for bad in ["", "x", "file://host/a", "file:///", "/", "file:///a/../b", "ftp://x/y", "s3:///p", "file:///a?x"]
        {
            assert!(bad.parse::<Location>().is_err(), "{bad}");
        }
        for unbuilt in ["hdfs://n:8020/x", "s3://bucket/p"] {
            assert_eq!(open(unbuilt).unwrap_err().code(), "store_not_built");
        }
    }

    proptest! {
        #[test]
        fn no_url_makes_the_parser_panic_and_displayed_ones_read_back(url in "(file://|hdfs://|s3://)?[/a-z%2F.?#]{0,12}") {
            if let Ok(location) = url.parse::<Location>() {
                prop_assert_eq!(location.to_string().parse::<Location>().unwrap(), location);
            }
        }
    }
}
