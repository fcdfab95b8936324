//! What can be wrong with a configuration.

use std::io;
use std::path::PathBuf;

/// Why the configuration can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No directory is named.
    #[error(
        "no Hadoop configuration: set HADOOP_CONF_DIR (or YARN_CONF_DIR) to the directory with core-site.xml and yarn-site.xml"
    )]
    NoDirectory,
    /// A file can't be read.
    #[error("configuration file {path}")]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file is no configuration.
    #[error("configuration file {path}: {what}")]
    Xml {
        /// Its path.
        path: PathBuf,
        /// What is wrong, with line and column where known.
        what: String,
    },
    /// A value refers to others in a circle, or deeper than Hadoop follows.
    #[error("{key}: ${{…}} refers to others more than 20 times over")]
    Circle {
        /// The key.
        key: String,
    },
    /// A value can't be understood.
    #[error("{key} is {value:?}; {expected}")]
    Value {
        /// The key.
        key: String,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A key without which nothing can be reached.
    #[error("{key} is not set; {why}")]
    Missing {
        /// The key.
        key: String,
        /// What it is needed for.
        why: &'static str,
    },
    /// Nobody says who the user is.
    #[error("who the user is can't be told: set HADOOP_USER_NAME")]
    NoUser,
}
