//! What YARN says, in this project's words: how a container ended, and why one is not granted.
//!
//! Pure: [`hadoop_yarn`] has the calls. The launcher that makes them is not there yet, so `--on yarn` is refused and nothing but the tests uses this.

mod ends;
mod waits;

pub use ends::{End, end};
pub use waits::{Cluster, resource, why_not};
