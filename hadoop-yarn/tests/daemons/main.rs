//! Against real daemons: `scripts/test.sh yarn` starts them and runs these tests, one after another, as some kill a daemon.
//!
//! They are built with the feature `daemons` alone. `MAAS_TEST_HADOOP` names the folder that `scripts/services/hadoop.sh start --dir` was given; without it they fail and say so.

mod cluster;
mod containers;
mod failover;
#[cfg(feature = "kerberos")]
mod kerberos;
mod reading;
mod restarts;
mod servers;
#[cfg(feature = "timeline")]
mod timeline;
mod whole;
