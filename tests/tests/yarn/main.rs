//! Models in containers of a real Hadoop: ResourceManager, NodeManagers and HDFS, each its own process.
//!
//! `scripts/test.sh yarn` starts three of them: one that tests share side by side, one of two nodes, which the tests of [`nodes`] have one
//! after another, and one of two ResourceManagers for [`failover`]. `MAAS_TEST_HADOOP`, `MAAS_TEST_HADOOP_NODES` and
//! `MAAS_TEST_HADOOP_PAIR` name their folders, `MAAS_BENCH_PROGRAMS` one with programs that are built with the feature `yarn`;
//! without them every test fails and says how to have them. With the feature `kerberos` there is one more test, which
//! `scripts/test.sh kerberos` runs: [`kerberos`], on a Hadoop that `MAAS_TEST_HADOOP_KERBEROS` names.

mod aggregated;
mod application;
mod cluster;
mod failover;
#[cfg(feature = "kerberos")]
mod kerberos;
mod nodes;
mod reasons;
mod troubles;
mod walk_through;
