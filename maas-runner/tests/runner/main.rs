//! The runner as a real process, with real models, on a real ZooKeeper: what it promises to launchers, to callers and
//! to the machine it runs on.
//!
//! Needs a server: `scripts/services/zookeeper.sh start`, then `export MAAS_TEST_ZK=HOST:PORT`. Each test has its own
//! chroot and its own state directory, and leaves no process behind.

mod bed;
mod crash;
mod endpoints;
mod life;
mod limits;
mod model;
mod outage;
mod payload;
