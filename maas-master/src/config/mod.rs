//! The master's settings: defaults, then a file, then the environment, then flags; each later one wins.
//!
//! A file per part. Nothing here binds a port or makes a directory; that comes after all settings are known to be good.
//! Where ZooKeeper is, is `maas_cli`'s to find.

mod advertise;
mod capacity;
mod credentials;
mod launcher;
mod layer;
mod limits;
mod resolve;

pub use advertise::advertised_host;
pub use capacity::{CapacityGiven, Machine};
pub use credentials::credential_from_file;
pub use launcher::{Choice, choose_launcher};
pub use layer::{Layer, Pair};
pub use limits::Limits;
#[cfg(feature = "yarn")]
pub use resolve::settings_for_elsewhere;
pub use resolve::{Config, Error};
