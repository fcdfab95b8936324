//! Model payloads: checks of a model directory, digests, manifests, and the stores that hold them.
//!
//! A model directory is checked into a [`bundle::Bundle`], described by a [`manifest::Manifest`] and put into a
//! [`store::ModelStore`]; the master fetches it from there into a [`payload`] directory, from which a runner makes the
//! working directory. [`settings`] are what `maas.json` beside the script may say.
//!
//! All of it is synchronous and knows no other crate of ours; asynchronous callers use a blocking thread. The stores
//! behind a network, `s3` and `hdfs`, are cargo features, off by default.

pub mod blobs;
pub mod bundle;
mod fetch;
pub mod file;
mod hash;
#[cfg(feature = "hdfs")]
pub mod hdfs;
pub mod location;
pub mod manifest;
pub mod object;
pub mod path;
pub mod payload;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "s3")]
pub mod s3;
pub mod settings;
pub mod single;
pub mod store;
mod tree_import;

pub use bundle::Bundle;
pub use file::FileStore;
#[cfg(feature = "hdfs")]
pub use hdfs::HdfsStore;
pub use location::Location;
pub use manifest::Manifest;
pub use object::ObjectStore;
pub use path::StorePath;
pub use settings::Settings;
pub use store::ModelStore;
