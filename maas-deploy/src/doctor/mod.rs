//! What DOCTOR looks at and makes of it: facts from ZooKeeper, ports that are asked, findings, and nodes saved to a file.
//!
//! [`facts`] reads, [`ports`] connects, [`findings`] decides and is pure, [`saved`] is the file that `--repair` writes and
//! `--restore` reads. Asking, repairing and printing are the verb's, in [`crate::commands::doctor`].

pub(crate) mod facts;
pub(crate) mod findings;
pub(crate) mod ports;
pub(crate) mod saved;
