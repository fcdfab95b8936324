//! `maas_deploy`: publish models, and see what became of them.
//!
//! A verb is a file of [`commands`]: its options, what it does, how it prints. Verbs stand on a `Cluster` (any ZooKeeper
//! tree), on a `Picture` of what ZooKeeper says, and on `follow` for what takes time; deciding (`wait`, `choose`, the
//! tables) is pure and apart. Queue, registry and state belong to maas-client, payloads to maas-store, exit codes and
//! printing of errors to maas-cli; the master's side of every request is the master's.

mod changes;
mod check;
mod choose;
mod cli;
mod commands;
mod context;
mod doctor;
mod error;
mod follow;
mod http;
mod payload;
mod progress;
mod publish;
mod report;
mod run;
#[cfg(test)]
mod testing;
mod wait;

pub use run::run;
