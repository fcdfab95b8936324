//! What keeps a runner from doing its work, and the exit code of each.

use crate::instance;
use maas_client::reason::chain;
use std::error::Error as _;

/// Exit codes of `maas_runner`; the same numbers as every other command's.
pub(crate) mod exit {
    /// The instance ran and was stopped, or there was nothing to run.
    pub(crate) const DONE: u8 = 0;
    /// A defect of ours.
    pub(crate) const DEFECT: u8 = 1;
    /// Wrong arguments.
    pub(crate) const USAGE: u8 = 2;
    /// A launch order that can't be used.
    pub(crate) const INPUT: u8 = 3;
    /// The model failed; `exit.json` says how.
    pub(crate) const MODEL: u8 = 7;
    /// Another runner has this instance.
    pub(crate) const CONFLICT: u8 = 8;
}

/// Why nothing was run, or the run was given up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Wrong arguments.
    #[error("{0}; try maas_runner --help")]
    Usage(String),
    /// The instance's directory.
    #[error("instance can't be run")]
    Instance(#[source] Box<dyn std::error::Error + Send + Sync>, u8),
    /// Another runner has the claim, or ZooKeeper refuses us for good.
    #[error("nothing was started: {0}")]
    Refused(String),
    /// The system refused something every runner needs.
    #[error("{what}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// The exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Error::Usage(_) => exit::USAGE,
            Error::Instance(_, code) => *code,
            Error::Refused(_) => exit::CONFLICT,
            Error::System { .. } => exit::DEFECT,
        }
    }
}

impl From<instance::Error> for Error {
    fn from(error: instance::Error) -> Self {
        let code = match error {
            instance::Error::Locked(_) => exit::CONFLICT,
            _ => exit::INPUT,
        };
        Error::Instance(Box::new(error), code)
    }
}

/// As [`chain`], for this crate's own errors.
pub(crate) fn describe(error: &Error) -> String {
    match error.source() {
        None => error.to_string(),
        Some(_) => chain(error),
    }
}
