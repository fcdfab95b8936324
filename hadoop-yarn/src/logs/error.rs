//! Why an aggregated log file can't be read.

use std::io;

/// Why an aggregated log file can't be read. The caller knows which file it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another format, or not yet whole.
    #[error("it is no TFile, or not yet whole; what is in another format, such as IndexedFile, `yarn logs` reads")]
    NotTFile,
    /// A TFile of a later kind.
    #[error("it is a TFile of version {major}.{minor}, and versions 1 are read here; `yarn logs` reads it")]
    Version {
        /// The part that decides.
        major: u16,
        /// The other part.
        minor: u16,
    },
    /// Compressed by something else.
    #[error("it is compressed by {0:?}, and \"none\" and \"gz\" are read here; `yarn logs` reads it")]
    Compression(String),
    /// Its bytes contradict one another.
    #[error("it is damaged: {what} near byte {at}")]
    Damaged {
        /// What is not as it should be.
        what: &'static str,
        /// Where in the file.
        at: u64,
    },
    /// Where it lies says no.
    #[error(transparent)]
    Read(#[from] io::Error),
}
