//! The pipeline in the whole system: ZooKeeper, a master with models, Kafka and a search server, all of them real.
//!
//! `scripts/test.sh enrich` runs all but those marked as ignored, `scripts/test.sh soak` those. `MAAS_TEST_ZK` names the ZooKeeper; each test starts a
//! Kafka and a search server of its own through `scripts/services`.

mod kills;
mod models;
mod rebalance;
mod walk_through;
mod world;
