//! Models in containers of a real Hadoop: ResourceManager, NodeManagers and HDFS, each its own process.
//!
//! `scripts/test.sh yarn` starts two of them: one that tests share side by side, and one of two nodes, which the tests of [`nodes`] have one
//! after another. `MAAS_TEST_HADOOP` and `MAAS_TEST_HADOOP_NODES` name their folders, `MAAS_BENCH_PROGRAMS` one with programs that are
//! built with the feature `yarn`; without them every test fails and says how to have them.

mod application;
mod cluster;
mod nodes;
mod reasons;
mod troubles;
mod walk_through;
