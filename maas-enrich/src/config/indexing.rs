//! `indexing/SENSOR.json`: how documents go to the index.

use serde::Deserialize;
use serde_json::{Map as JsonMap, Value as Json};

use super::{Compile, Error};
use crate::sink::search::first_part;

/// How documents go to the search server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexing {
    /// First part of the index's name.
    pub index: String,
    /// Documents a request; none: the sink's own number.
    pub batch_size: Option<usize>,
    /// Seconds after which what there is is sent; none: the sink's own.
    pub batch_timeout: Option<u64>,
    /// Whether anything is sent at all.
    pub enabled: bool,
    /// Whether dots in names of fields become colons, as the original's index templates want it.
    pub colons: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    index: Option<String>,
    batch_size: Option<usize>,
    batch_timeout: Option<u64>,
    enabled: Option<bool>,
    field_name_converter: Option<String>,
}

/// Writers of the original that have no counterpart here.
const UNUSED: &[&str] = &["hdfs", "solr"];

impl Indexing {
    /// Without a file: the sensor's name, all that is sent goes.
    pub fn default_for(sensor: &str) -> Self {
        Self { index: sensor.to_owned(), batch_size: None, batch_timeout: None, enabled: true, colons: true }
    }

    /// Reads the file; its part `elasticsearch` (or `opensearch`) counts.
    pub fn compile(text: &str, sensor: &str, with: &mut Compile) -> Result<Self, Error> {
        let all: JsonMap<String, Json> = serde_json::from_str(text)?;
        let writers = ["elasticsearch", "opensearch"];
        let unknown = all.keys().map(String::as_str).filter(|key| !writers.contains(key) && !UNUSED.contains(key));
        with.unknown_keys("", unknown, &writers);
        let default = Self::default_for(sensor);
        let Some((key, part)) = writers.iter().find_map(|key| Some((key, all.get(*key)?))) else { return Ok(default) };
        let raw: Raw = Deserialize::deserialize(part).map_err(|error| Error::value(*key, error.to_string()))?;
        let colons = match raw.field_name_converter.as_deref() {
            None | Some("DEDOT") => true,
            Some("NOOP") => false,
            Some(other) => {
                let message = format!("{other:?} is not known; DEDOT or NOOP");
                return Err(Error::value(format!("{key}.fieldNameConverter"), message));
            }
        };
        let index = raw.index.unwrap_or(default.index);
        first_part(&index).map_err(|message| Error::value(format!("{key}.index"), message))?;
        Ok(Self {
            index,
            batch_size: raw.batch_size.filter(|size| *size > 0),
            batch_timeout: raw.batch_timeout.filter(|seconds| *seconds > 0),
            enabled: raw.enabled.unwrap_or(true),
            colons,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_of_the_search_server_counts() {
        let mut with = Compile::default();
        let text =
            r#"{"hdfs":{"index":"h"},"elasticsearch":{"index":"squid","batchSize":5,"enabled":false},"solar":{}}"#;
        let indexing = Indexing::compile(text, "s", &mut with).unwrap();
        assert_eq!((indexing.index.as_str(), indexing.batch_size, indexing.enabled), ("squid", Some(5), false));
        assert_eq!(with.warnings.len(), 1, "{:?}", with.warnings);
        assert!(Indexing::compile(r#"{"elasticsearch":{"index":"a b"}}"#, "s", &mut with).is_err());
        assert_eq!(Indexing::compile("{}", "s", &mut with).unwrap(), Indexing::default_for("s"));
    }
}
