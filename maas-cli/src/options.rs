//! Option groups that every program flattens into its own: where ZooKeeper is, what is logged.

use crate::errors::Failure;
use crate::logging;
use crate::zookeeper::{self, Address};
use std::time::Duration;

/// Where ZooKeeper is.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ZooKeeperOptions {
    /// ZooKeeper's servers, `HOST:PORT,…`, a chroot after the last; else $MAAS_ZK, else `zk` of client.toml
    #[arg(short = 'z', long = "zookeeper", value_name = "HOSTS", global = true)]
    pub zookeeper: Option<String>,

    /// The configuration node in ZooKeeper; else $MAAS_ZK_ROOT, else /metron/maas/config
    #[arg(long = "zk-root", value_name = "PATH", global = true)]
    pub zk_root: Option<String>,

    /// Give up on ZooKeeper after so many seconds
    #[arg(long = "zk-timeout", value_name = "S", default_value_t = 10, global = true,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub zk_timeout: u64,
}

impl ZooKeeperOptions {
    /// The address, first found; see [`zookeeper`].
    pub fn address(&self) -> Result<Address, Failure> {
        zookeeper::address(self.zookeeper.as_deref())
    }

    /// The configuration node's path.
    pub fn root(&self) -> Result<String, Failure> {
        zookeeper::root(self.zk_root.as_deref())
    }

    /// How long to try.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.zk_timeout)
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct LogOptions {
    /// What is logged: `info`, `debug`, `maas_client=trace,warn`; else $RUST_LOG
    #[arg(long = "log", value_name = "FILTER", global = true)]
    pub log: Option<String>,

    /// Log lines as JSON
    #[arg(long = "log-json", global = true)]
    pub log_json: bool,
}

impl LogOptions {
    /// Starts logging with this level where nothing else is said.
    pub fn start(&self, default: &str) -> Result<(), Failure> {
        logging::start(self.log.as_deref(), self.log_json, default)
    }
}
