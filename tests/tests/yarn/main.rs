//! Models in containers of a real Hadoop: ResourceManager, NodeManager and HDFS, each its own process.
//!
//! `scripts/test.sh yarn` starts them and runs these one after another, as some kill a daemon. `MAAS_TEST_HADOOP` names the
//! folder that `scripts/services/hadoop.sh start --dir` was given, `MAAS_BENCH_PROGRAMS` one with programs that are built
//! with the feature `yarn`; without them every test fails and says how to have them.

mod application;
mod cluster;
mod room;
mod troubles;
mod walk_through;
