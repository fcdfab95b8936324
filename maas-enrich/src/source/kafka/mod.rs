//! A topic, read as a member of a consumer group.
//!
//! Nothing is committed before it is acknowledged, so after any crash a line is read again rather than lost. Partitions come and go with the group's members, of which
//! each worker of a process is one. `topic` is the member, `context` hears what Kafka's client tells of itself, `ledger` knows what is acknowledged and committed of
//! each partition, `ends` where each ends where only what is there at the start is read.

mod context;
mod ends;
mod ledger;
#[cfg(test)]
mod tests;
mod topic;

pub use ends::Ends;
pub use topic::{KafkaTopic, Wanted};
