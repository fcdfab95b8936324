//! A native client of Hadoop YARN. No JVM, no libhdfs, no `protoc`: Hadoop's RPC version 9, its tokens, its configuration files, and typed calls.
//!
//! | Term | Meaning |
//! | --- | --- |
//! | ResourceManager | gives out the cluster's memory and cores; one leads, others may stand by |
//! | NodeManager | runs containers on one node |
//! | application | what a client submits; it has one or more attempts |
//! | application master | the first container of an attempt: asks the ResourceManager for containers and has NodeManagers start them |
//! | container | a share of a node's memory and cores, and the processes in it |
//! | token | an identifier and a password, given out by a server, that prove who calls |
//!
//! - [`client::ResourceManager`]: submit, follow, list and kill applications; nodes and queues.
//! - [`client::ApplicationMaster`]: register, ask for containers, finish. [`client::Asks`] remembers what was asked for and granted.
//! - [`client::NodeManager`], [`client::NodeManagers`]: start, stop and look at containers.
//! - [`client::NameNode`]: a token for HDFS.
//! - [`config`]: `core-site.xml`, `yarn-site.xml`, `${…}`, several ResourceManagers.
//! - [`credentials`]: the token file of a container.
//! - [`logs`]: what containers wrote, after an application's end.
//! - [`rpc`]: time-outs, retries, protection, errors.
//! - [`shell`]: quoting for launch contexts.
//! - `timeline`: domains of the timeline server, with the feature of that name.
//!
//! ```no_run
//! use hadoop_yarn::client::ResourceManager;
//! use hadoop_yarn::config::YarnConfig;
//! use hadoop_yarn::types::ApplicationFilter;
//!
//! # async fn list() -> Result<(), Box<dyn std::error::Error>> {
//! let config = YarnConfig::from_environment()?;
//! let cluster = ResourceManager::new(&config, config.authentication(YarnConfig::user()?));
//! for application in cluster.applications(&ApplicationFilter::unfinished()).await? {
//!     println!("{} {} {}", application.id, application.state, application.name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Authentication is by name (`SIMPLE`), by token (DIGEST-MD5) or, with the feature `kerberos`, by the system's Kerberos; each with integrity and privacy
//! where the cluster asks for it. [`config::YarnConfig::authentication`] chooses what the configuration wants. An application master and its containers go
//! by tokens alone, on every cluster: [`client::ResourceManager::delegation_token`] and [`client::NameNode`] give out those that a client puts into their
//! [`credentials`].
//!
//! What is said here about the protocol and the servers' behaviour was seen on Hadoop 3.5.0, and is the same in its sources since 3.2.

pub mod client;
pub mod config;
pub mod credentials;
pub mod logs;
mod proto;
pub mod rpc;
pub mod shell;
#[cfg(feature = "timeline")]
pub mod timeline;
pub mod types;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod vectors;
