//! `maas_service` as a program: starting, standing by, detaching, status, stop, and how it refuses.
//!
//! Needs a real ZooKeeper: `scripts/services/zookeeper.sh start`, then `export MAAS_TEST_ZK=HOST:PORT`. No model runs
//! here; that is the integration tests' business.

mod program;
mod refusals;
mod running;
