//! What the containers of an application wrote, once the cluster has collected it: YARN's aggregated log files.
//!
//! Each node writes one file for an application, some more where it collects while the application runs. [`LogPlaces`] says in which directories they lie,
//! from the configuration alone; [`AggregatedLog`] reads one of them, over anything that can be read and sought. Who lists directories and opens files is
//! the caller: this crate has no file system.
//!
//! The layers, from below, each with the class of Hadoop that the facts are from:
//! - [`number`]: numbers of variable length (`io.file.tfile.Utils`);
//! - [`block`]: a file's blocks, which may be compressed, and their index (`io.file.tfile.BCFile`);
//! - [`value`]: values in chunks inside a block (`io.file.tfile.Chunk`);
//! - [`log`]: keys and values, and in them containers and their files (`io.file.tfile.TFile`, `yarn.logaggregation.AggregatedLogFormat`).
//!
//! Nothing in a file is trusted: a file is read through windows of fixed size, and no length in it is memory before that many bytes are there.
//! Files of the format `IndexedFile` are refused.

mod block;
mod error;
mod log;
mod number;
mod place;
mod value;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod writer;

pub use error::Error;
pub use log::{AggregatedLog, Contents, LogEntry};
pub use place::{LogDirectory, LogPlaces, is_log_file};
