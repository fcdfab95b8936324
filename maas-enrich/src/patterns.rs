//! Grok patterns that a sensor names and the configuration does not hold: they are fetched from the place that `grok.store` of global.json names.
//!
//! The original keeps them in HDFS: `hdfs://HOST:PORT/` (cargo feature `hdfs`), or a directory, `file:///DIR`. What is pushed wins. Only reading is done here;
//! what the patterns mean is [`crate::grok`]'s.

use maas_store::location::Location;
use maas_store::path::StorePath;
use maas_store::{single, store};
use serde_json::Value as Json;
use thiserror::Error as ThisError;

use crate::config::Files;
use crate::grok::Library;

/// The key of global.json.
pub const KEY: &str = "grok.store";
/// The largest file that is read.
const LARGEST: usize = 1 << 20;

/// A file of patterns can't be fetched.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The place, or the file's path in it.
    #[error("{KEY} {url:?} can't be used for {path}")]
    Unusable {
        /// The place.
        url: String,
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Reading failed.
    #[error("{path} can't be read from {url}")]
    Unreadable {
        /// The place.
        url: String,
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: Box<store::Error>,
    },
    /// It is no file of patterns.
    #[error("{path} of {url} is no text of at most {LARGEST} bytes")]
    NoPatterns {
        /// The place.
        url: String,
        /// The file.
        path: String,
    },
}

impl Error {
    /// Whether it may pass by itself.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreadable { source, .. } if source.is_retryable())
    }
}

/// Adds the file that the sensor names, where it is not among these files and a place is named. One that is not there either is left to compiling. Blocks.
pub fn fetch(files: &mut Files, sensor: &str) -> Result<(), Error> {
    let Some((url, path)) = missing(files, sensor) else { return Ok(()) };
    let unusable = |source| Error::Unusable { url: url.clone(), path: path.clone(), source };
    let place: Location = url.parse().map_err(|error: store::Error| unusable(error.into()))?;
    let rooted = format!("/{}", path.trim_start_matches('/'));
    let file: StorePath = rooted.parse().map_err(|error: maas_store::path::Error| unusable(error.into()))?;
    let unreadable = |error| Error::Unreadable { url: url.clone(), path: path.clone(), source: Box::new(error) };
    let bytes = single::open(&place).and_then(|place| place.read(&file, LARGEST as u64 + 1)).map_err(unreadable)?;
    let Some(bytes) = bytes else { return Ok(()) };
    let text = String::from_utf8(bytes).ok().filter(|text| text.len() <= LARGEST);
    let text = text.ok_or_else(|| Error::NoPatterns { url: url.clone(), path: path.clone() })?;
    files.0.insert(format!("patterns/{}", Library::below(&path)), text);
    Ok(())
}

/// The place and the path of a file that is to be fetched. Files that can't be read as JSON are left to compiling.
fn missing(files: &Files, sensor: &str) -> Option<(String, String)> {
    let json = |name: &str| serde_json::from_str::<Json>(files.get(name)?).ok();
    let url = json("global.json")?.get(KEY)?.as_str()?.to_owned();
    let path = json(&format!("parsers/{sensor}.json"))?.pointer("/parserConfig/grokPath")?.as_str()?.to_owned();
    let is_there = files.get(&format!("patterns/{}", Library::below(&path))).is_some();
    (!is_there).then_some((url, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_pushed_is_fetched_and_one_that_is_pushed_is_not() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("apps/metron/patterns")).unwrap();
        std::fs::write(directory.path().join("apps/metron/patterns/web"), "LINE .*").unwrap();
        let global = serde_json::json!({KEY: format!("file://{}", directory.path().display())}).to_string();
        let parser = |path: &str| serde_json::json!({"parserConfig": {"grokPath": path}}).to_string();
        let fetched = |path: &str, pushed: Option<&str>| {
            let mut files = Files::default();
            files.0.insert("global.json".into(), global.clone());
            files.0.insert("parsers/web.json".into(), parser(path));
            files.0.extend(pushed.map(|text| ("patterns/web".to_owned(), text.to_owned())));
            fetch(&mut files, "web").map(|()| files.get("patterns/web").map(str::to_owned))
        };
        assert_eq!(fetched("/apps/metron/patterns/web", None).unwrap().as_deref(), Some("LINE .*"));
        assert_eq!(fetched("/apps/metron/patterns/web", Some("OTHER x")).unwrap().as_deref(), Some("OTHER x"));
        assert_eq!(fetched("/nowhere/patterns/web", None).unwrap(), None);
        assert!(fetched("/../web", None).unwrap_err().to_string().contains("can't be used"));
    }
}
