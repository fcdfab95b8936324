//! Tests of the crate from outside: the contract of every store, and the checks of model directories.

mod bundle;
mod contract;
mod fixture;
mod local;
#[cfg(feature = "hdfs")]
mod on_hdfs;
#[cfg(feature = "s3")]
mod on_s3;
