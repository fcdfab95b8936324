//! What Kafka's source and sink share: where the brokers are and how to talk to them.

use std::path::Path;

use maas_cli::{ErrorCode, Failure};
use rdkafka::ClientConfig;

/// The header of a record that was put aside: the guid of the document that its line becomes.
pub(crate) const GUID_HEADER: &str = "maas_guid";

/// Settings of a client, named as librdkafka names them.
#[derive(Debug, Clone, Default)]
pub struct Properties(Vec<(String, String)>);

impl Properties {
    /// Reads a file of `name=value` lines; `#` begins a comment. Secrets belong there: they are neither shown nor logged.
    pub fn from_file(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let unusable = |why: &str| Failure::new(ErrorCode::BadConfig, format!("{shown} {why}"));
        let text = std::fs::read_to_string(path).map_err(|error| unusable("can't be read").because(&error))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let pair = |line: &str| {
            let (name, value) = line.split_once('=')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        let pairs = lines.map(pair).collect::<Option<_>>();
        Ok(Self(pairs.ok_or_else(|| unusable("has a line that is no name=value, such as security.protocol=ssl"))?))
    }

    /// A client's configuration with these brokers and these settings, where the file says nothing else.
    pub(crate) fn client(&self, brokers: &str, defaults: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers).set("client.id", "maas_enrich");
        for (name, value) in defaults {
            config.set(*name, *value);
        }
        for (name, value) in &self.0 {
            config.set(name, value);
        }
        config
    }
}
