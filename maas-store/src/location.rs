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
    Hdfs(Remote),
    /// `s3://bucket/prefix`.
    S3(Remote),
}

/// The parts of a store's url behind a network. Nothing in it is escaped: `%` is a character like others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The url as it was given, which is how others are told of it.
    pub url: String,
    /// Host and port, or the bucket.
    pub authority: String,
    /// What comes before every path in the store; empty, or `a/b` without slashes at its ends.
    pub root: String,
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
        if let Some((_, host)) = rest.split('/').next().and_then(|authority| authority.rsplit_once('@')) {
            // What stands before the @ may be a password: it is not repeated.
            let message = "names a user; credentials never stand in a url".to_string();
            return Err(Error::Url { url: format!("{scheme}://…@{host}"), message });
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
            "hdfs" => Ok(Location::Hdfs(remote(url, rest).map_err(|message| bad(&message))?)),
            "s3" | "s3a" => match remote(url, rest).map_err(|message| bad(&message))? {
                Remote { authority, .. } if authority.is_empty() => Err(bad("names no bucket; s3://BUCKET/PREFIX")),
                remote => Ok(Location::S3(remote)),
            },
            other => Err(bad(&format!("has scheme {other}; file, hdfs and s3 are known"))),
        }
    }
}

fn remote(url: &str, rest: &str) -> Result<Remote, String> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let root = path.trim_end_matches('/');
    match root.split('/').find(|part| matches!(*part, "" | "." | "..")) {
        Some(part) if !root.is_empty() => Err(format!("has {part:?} in its path")),
        _ => Ok(Remote { url: url.to_string(), authority: authority.to_string(), root: root.to_string() }),
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
            Location::Hdfs(remote) | Location::S3(remote) => f.write_str(&remote.url),
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
            Location::Hdfs(remote) => open_hdfs(remote),
            Location::S3(remote) => open_s3(remote),
        }
    }
}

#[cfg(feature = "hdfs")]
fn open_hdfs(remote: &Remote) -> Result<Arc<dyn ModelStore>, Error> {
    Ok(Arc::new(crate::hdfs::HdfsStore::open(remote)?))
}

#[cfg(not(feature = "hdfs"))]
fn open_hdfs(remote: &Remote) -> Result<Arc<dyn ModelStore>, Error> {
    Err(Error::NotBuilt { url: remote.url.clone(), feature: "hdfs" })
}

#[cfg(feature = "s3")]
fn open_s3(remote: &Remote) -> Result<Arc<dyn ModelStore>, Error> {
    let blobs = crate::s3::S3Blobs::open(remote, environment())?;
    Ok(Arc::new(crate::object::ObjectStore::new(Arc::new(blobs))))
}

/// What of this process's environment is text.
#[cfg(feature = "s3")]
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

#[cfg(not(feature = "s3"))]
fn open_s3(remote: &Remote) -> Result<Arc<dyn ModelStore>, Error> {
    Err(Error::NotBuilt { url: remote.url.clone(), feature: "s3" })
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
    }

    #[test]
    fn urls_behind_a_network_are_taken_apart() {
        let parts = |url: &str| match url.parse::<Location>() {
            Ok(Location::Hdfs(remote) | Location::S3(remote)) => (remote.authority, remote.root),
            other => panic!("{url}: {other:?}"),
        };
        let expected = |authority: &str, root: &str| (authority.to_string(), root.to_string());
        assert_eq!(parts("hdfs://n:8020/a/b/"), expected("n:8020", "a/b"));
        assert_eq!(parts("hdfs:///"), expected("", ""));
        assert_eq!(parts("s3://bucket"), expected("bucket", ""));
        assert_eq!(parts("S3a://bucket/a%20b"), expected("bucket", "a%20b"));
        for bad in ["s3:///p", "s3://", "s3://b/../c", "hdfs://n/a//b"] {
            assert!(bad.parse::<Location>().is_err(), "{bad}");
        }
        let error = "hdfs://me:secret@n/a".parse::<Location>().unwrap_err().to_string();
        assert!(error.contains("credentials") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn a_store_that_is_not_built_names_its_feature() {
        let urls: &[(&str, bool)] =
            &[("hdfs://n:8020/x", cfg!(feature = "hdfs")), ("s3://bucket/p", cfg!(feature = "s3"))];
        for (url, built) in urls {
            match open(url) {
                Ok(store) => assert!(*built && store.url() == *url),
                Err(error) => assert!(!built && error.code() == "store_not_built", "{error}"),
            }
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
