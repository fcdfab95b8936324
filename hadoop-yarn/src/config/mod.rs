//! Hadoop's configuration: its XML files, its `${…}`, and what YARN's clients need of it.
//!
//! [`Configuration`] is the keys and values as Hadoop's own programs see them; [`YarnConfig`] the addresses, time-outs and protection that this crate
//! needs; [`HdfsConfig`] says where a NameNode gives out tokens, [`TimelineConfig`] where the timeline server is. There is no `yarn-default.xml` here: the defaults stand in [`yarn`], with their keys.

mod configuration;
mod error;
mod expand;
mod hdfs;
mod timeline;
mod xml;
mod yarn;

pub use configuration::Configuration;
pub use error::ConfigError;
pub use hdfs::HdfsConfig;
pub use timeline::TimelineConfig;
pub use yarn::{Server, YarnConfig};
