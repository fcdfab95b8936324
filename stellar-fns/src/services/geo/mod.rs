//! Databases of addresses in MaxMind's format: where an address is, and whose network it is in.
//!
//! Each is held in memory and read again when another file takes its place. What the functions make of an answer is theirs.

mod databases;
#[cfg(test)]
#[path = "../../../tests/support/mmdb.rs"]
pub(crate) mod mmdb;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::fixture;

pub(crate) use databases::public_address;
pub use databases::{Databases, Network, Place};
