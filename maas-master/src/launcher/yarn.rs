//! Models in containers of a YARN cluster.
//!
//! The master is the application's own: it registers with the ResourceManager and heartbeats ([`heart`]), asks for a
//! container for each instance and keeps the book of them ([`book`], pure), has runners started by NodeManagers
//! ([`start`]), spread over the nodes ([`spread`]), and says in this project's words how containers ended ([`ends`], kept as [`exits`]) and why one is not granted ([`waits`])
//! or would not be ([`forecast`]).
//! A node that is gone is noticed before YARN says so ([`sight`]). [`hadoop_yarn`] has the calls. It leaves to the
//! reconciler what runs, and what stands in ZooKeeper: a container is named in the instance's record before anything is
//! started in it.

mod book;
mod ends;
mod exits;
mod forecast;
mod heart;
mod launcher;
mod sight;
mod spread;
mod start;
mod waits;

pub use ends::{End, end};
pub use heart::{Error, Heart};
pub use launcher::Yarn;
pub use start::Options;
pub(crate) use start::fetched;
pub use waits::{Cluster, resource, why_not};
