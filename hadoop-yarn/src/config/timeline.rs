//! Where the timeline server is, version 1: the one that is spoken to by REST.

use super::yarn::with_port;
use super::{ConfigError, Configuration};

/// The port of the REST interface when none is configured.
const PORT: u16 = 8188;

/// A timeline server of version 1 or 1.5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineConfig {
    /// Host and port of its REST interface (`yarn.timeline-service.webapp.address`).
    pub address: String,
}

impl TimelineConfig {
    /// The one that is configured; `None` where there is none (`yarn.timeline-service.enabled`), or another version alone.
    pub fn new(configuration: &Configuration) -> Result<Option<Self>, ConfigError> {
        if !configuration.flag("yarn.timeline-service.enabled", false)? {
            return Ok(None);
        }
        let mut versions = configuration.list("yarn.timeline-service.versions")?;
        if versions.is_empty() {
            versions.extend(configuration.get("yarn.timeline-service.version")?);
        }
        if !versions.is_empty() && !versions.iter().any(|version| version.starts_with('1')) {
            return Ok(None);
        }
        if let Some(policy) = configuration.get("yarn.http.policy")?.filter(|policy| policy == "HTTPS_ONLY") {
            let expected = "the timeline server is only called over HTTP";
            return Err(ConfigError::Value { key: "yarn.http.policy".to_owned(), value: policy, expected });
        }
        let key = "yarn.timeline-service.webapp.address";
        let host = configuration.get("yarn.timeline-service.hostname")?.unwrap_or_else(|| "0.0.0.0".to_owned());
        Ok(Some(Self { address: with_port(key, configuration.get(key)?.unwrap_or(host), PORT)? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<String>, ConfigError> {
        let mut configuration = Configuration::new();
        for (key, value) in pairs {
            configuration.set(format!("yarn.{key}"), *value);
        }
        Ok(TimelineConfig::new(&configuration)?.map(|timeline| timeline.address))
    }

    #[test]
    fn there_is_one_only_where_it_is_enabled_and_speaks_version_1() {
        let on = ("timeline-service.enabled", "true");
        let host = ("timeline-service.hostname", "ats");
        assert_eq!(read(&[host]).unwrap(), None);
        assert_eq!(read(&[on, host]).unwrap().as_deref(), Some("ats:8188"));
        assert_eq!(read(&[on, host, ("timeline-service.version", "2.0f")]).unwrap(), None);
        let both = [on, host, ("timeline-service.versions", "1.5f,2.0f")];
        assert_eq!(read(&both).unwrap().as_deref(), Some("ats:8188"));
        let address = ("timeline-service.webapp.address", "node3:9188");
        assert_eq!(read(&[on, host, address]).unwrap().as_deref(), Some("node3:9188"));
        assert!(read(&[on, host, ("http.policy", "HTTPS_ONLY")]).unwrap_err().to_string().contains("only called over"));
    }
}
