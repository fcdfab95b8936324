//! The supervisor inside each container: makes an instance's work directory, starts the model, waits until it answers,
//! registers it, watches it, and ends it without leaving a process behind.
//!
//! Neighbours: a launcher of the master writes `launch.json` and starts `maas_runner run`; `maas-client` has the
//! contract of both and ZooKeeper; `maas-store` has manifests and settings. It leaves to the master whether the instance
//! shall run at all, whether it is replaced, and the payload, which lies verified on this machine already.
//!
//! - [`lifecycle`] decides, and is pure; [`supervise`] feeds it and carries out its effects.
//! - [`ledger`] keeps claim and registration in ZooKeeper as they are wanted, and watches the record.
//! - [`guard`] is a process of its own between runner and script; [`script`] starts it, [`process_tree`] finds and kills.
//! - [`endpoint`] and [`watcher`] follow `endpoint.dat`, [`probe`] asks the published url, [`sockets`] counts connections.
//! - [`container`] makes of a YARN container what a master of this machine would have prepared.
//! - [`scratch`] stands in for ZooKeeper and master when a model is only tried out.
//! - [`instance`], [`environment`], [`capture`] and [`memory`]: the directory, what the model sees, writes and uses.

mod capture;
mod cli;
mod container;
mod endpoint;
mod environment;
mod error;
mod guard;
mod instance;
mod ledger;
mod lifecycle;
mod memory;
mod probe;
mod process_tree;
mod program;
mod scratch;
mod script;
mod sockets;
mod supervise;
mod watcher;

pub use program::run;
