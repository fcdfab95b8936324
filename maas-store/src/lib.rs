//! Model payloads: checks of a model directory, digests, manifests, and the stores that hold them.
//!
//! A model directory is checked into a [`bundle::Bundle`], described by a [`manifest::Manifest`] and put into a
//! [`store::ModelStore`]; the master fetches it from there into a [`payload`] directory, from which a runner makes the
//! working directory. [`settings`] are what `maas.json` beside the script may say.
//!
//! All of it is synchronous and knows no other crate of ours; asynchronous callers use a blocking thread.

pub mod blobs;
pub mod bundle;
pub mod file;
mod hash;
pub mod location;
pub mod manifest;
pub mod object;
pub mod path;
pub mod payload;
pub mod settings;
pub mod store;
mod tree_import;

pub use bundle::Bundle;
pub use file::FileStore;
pub use location::Location;
pub use manifest::Manifest;
pub use object::ObjectStore;
pub use path::StorePath;
pub use settings::Settings;
pub use store::ModelStore;
