//! The configuration node of Metron's MaaS (`/metron/maas/config`) and the roots that follow from it.
//!
//! An unknown key at the top level stops every Metron program, so our own settings stand inside `queueConfig`.

use serde::Deserialize;

/// Default of `-zr`.
pub const DEFAULT_CONFIG_PATH: &str = "/metron/maas/config";

/// Where queue, registry and state live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    /// The queue's root, `/maas/queue` by default.
    pub queue: String,
    /// The registry's root, `/maas/service` by default.
    pub services: String,
    /// Our state, `/maas/state` by default (`queueConfig.state_root`).
    pub state: String,
}

impl Default for Roots {
    fn default() -> Self {
        Roots { queue: "/maas/queue".into(), services: "/maas/service".into(), state: "/maas/state".into() }
    }
}

/// Why the configuration node can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not the JSON Metron's programs read.
    #[error("{path} is no configuration of MaaS")]
    NotConfig {
        /// The node.
        path: String,
        /// What the JSON reader says.
        #[source]
        source: serde_json::Error,
    },
    /// A queue that we do not speak.
    #[error("{path}: queue {queue:?}; only ZOOKEEPER is spoken here")]
    Queue {
        /// The node.
        path: String,
        /// The value found.
        queue: String,
    },
    /// A root that is no absolute ZooKeeper path.
    #[error("{path}: {key} {value:?} is no absolute path")]
    Path {
        /// The node.
        path: String,
        /// Which key.
        key: &'static str,
        /// The value found.
        value: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigNode {
    queue: Option<String>,
    #[serde(rename = "queueConfig")]
    queue_config: Option<QueueConfig>,
    #[serde(rename = "serviceRoot")]
    service_root: Option<String>,
}

#[derive(Deserialize, Default)]
struct QueueConfig {
    zk_path: Option<String>,
    state_root: Option<String>,
}

impl Roots {
    /// Reads the node's bytes; `None` (no such node) means the defaults. An empty node, `null` or an unknown
    /// key is an error here as it is for Metron's programs.
    pub fn from_node(path: &str, data: Option<&[u8]>) -> Result<Roots, Error> {
        let Some(data) = data else {
            return Ok(Roots::default());
        };
        let node: ConfigNode =
            serde_json::from_slice(data).map_err(|source| Error::NotConfig { path: path.to_string(), source })?;
        if let Some(queue) = node.queue.filter(|queue| queue != "ZOOKEEPER") {
            return Err(Error::Queue { path: path.to_string(), queue });
        }
        let given = node.queue_config.unwrap_or_default();
        let default = Roots::default();
        let absolute = |key, value: Option<String>, fallback: String| match value {
            None => Ok(fallback),
            Some(value) if is_absolute(&value) => Ok(value),
            Some(value) => Err(Error::Path { path: path.to_string(), key, value }),
        };
        Ok(Roots {
            queue: absolute("queueConfig.zk_path", given.zk_path, default.queue)?,
            services: absolute("serviceRoot", node.service_root, default.services)?,
            state: absolute("queueConfig.state_root", given.state_root, default.state)?,
        })
    }
}

fn is_absolute(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|rest| {
        !rest.is_empty()
            && rest.split('/').all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains('\0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_node_means_defaults_and_a_bad_one_is_refused() {
        assert_eq!(Roots::from_node("/c", None).unwrap(), Roots::default());
        let given = br#"{"queue":"ZOOKEEPER","queueConfig":{"zk_path":"/q","state_root":"/s"},"serviceRoot":"/r"}"#;
        assert_eq!(Roots::from_node("/c", Some(given)).unwrap().state, "/s");
        for bad in [&b""[..], b"null", br#"{"other":1}"#, br#"{"queue":"KAFKA"}"#, br#"{"serviceRoot":"x/../y"}"#] {
            assert!(Roots::from_node("/c", Some(bad)).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
