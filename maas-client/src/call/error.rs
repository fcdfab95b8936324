//! Why a call gave no answer, each with the outcome it is counted as.

use super::encode;
use crate::model::ModelId;
use crate::resolver;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What became of a call, for metrics and details. Part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// An answer, fresh or from the cache.
    Ok,
    /// Nothing is registered.
    NoEndpoint,
    /// No answer in time.
    Timeout,
    /// No connection, or none that held; or arguments that can't be sent.
    Refused,
    /// A status other than 2xx.
    Status,
    /// No JSON object.
    BadAnswer,
    /// Nothing was heard from ZooKeeper, so nothing is known.
    NoZookeeper,
}

impl Outcome {
    /// All of them, in the order of their numbers.
    pub const ALL: [Outcome; 7] = [
        Outcome::Ok,
        Outcome::NoEndpoint,
        Outcome::Timeout,
        Outcome::Refused,
        Outcome::Status,
        Outcome::BadAnswer,
        Outcome::NoZookeeper,
    ];

    /// As it stands in metrics and details.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::NoEndpoint => "no_endpoint",
            Outcome::Timeout => "timeout",
            Outcome::Refused => "refused",
            Outcome::Status => "status",
            Outcome::BadAnswer => "bad_answer",
            Outcome::NoZookeeper => "no_zookeeper",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a call went the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// Which version of which model.
    pub model: ModelId,
    /// Which instance.
    pub instance: Arc<str>,
    /// The url with the function, without arguments.
    pub url: String,
    /// How many tries there were.
    pub tries: u32,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.model, self.url)
    }
}

/// Why a call gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Nothing to call is registered.
    #[error(transparent)]
    NoEndpoint(resolver::Error),
    /// ZooKeeper was not heard of.
    #[error(transparent)]
    NoZookeeper(resolver::Error),
    /// The deadline is over, or the tries within it.
    #[error("{at}: no answer in {} ms, {}", .after.as_millis(), endpoints(.at.tries))]
    Timeout {
        /// The last try.
        at: At,
        /// How long it was tried altogether.
        after: Duration,
    },
    /// No connection, or none that held until the answer.
    #[error("{at}: {detail}, {}", endpoints(.at.tries))]
    Refused {
        /// The last try.
        at: At,
        /// What the connection's end says.
        detail: String,
    },
    /// The model answered with a status other than 2xx.
    #[error("{at}: status {status}")]
    Status {
        /// The last try.
        at: At,
        /// The status.
        status: u16,
        /// The answer's body as it came.
        body: Bytes,
    },
    /// What came is no JSON object.
    #[error("{at}: {problem}")]
    BadAnswer {
        /// The last try.
        at: At,
        /// What is wrong with it.
        problem: String,
        /// The answer's body as it came, unless it was too large.
        body: Bytes,
    },
    /// The arguments or the function's name can't be sent.
    #[error("{model}: {source}")]
    Unsendable {
        /// Which version of which model.
        model: ModelId,
        /// Why.
        source: encode::Error,
    },
}

fn endpoints(tries: u32) -> String {
    if tries == 1 { "1 endpoint tried".into() } else { format!("{tries} endpoints tried") }
}

impl Error {
    /// What it is counted as.
    pub fn outcome(&self) -> Outcome {
        match self {
            Error::NoEndpoint(_) => Outcome::NoEndpoint,
            Error::NoZookeeper(_) => Outcome::NoZookeeper,
            Error::Timeout { .. } => Outcome::Timeout,
            Error::Refused { .. } | Error::Unsendable { .. } => Outcome::Refused,
            Error::Status { .. } => Outcome::Status,
            Error::BadAnswer { .. } => Outcome::BadAnswer,
        }
    }

    /// The answer's body, when there was an answer of some kind.
    pub fn body(&self) -> Option<&Bytes> {
        match self {
            Error::Status { body, .. } | Error::BadAnswer { body, .. } => Some(body),
            _ => None,
        }
    }

    /// Where it was tried last.
    pub fn at(&self) -> Option<&At> {
        match self {
            Error::Timeout { at, .. }
            | Error::Refused { at, .. }
            | Error::Status { at, .. }
            | Error::BadAnswer { at, .. } => Some(at),
            _ => None,
        }
    }
}

impl From<resolver::Error> for Error {
    fn from(error: resolver::Error) -> Self {
        match error {
            resolver::Error::NotSynced { .. } => Error::NoZookeeper(error),
            other => Error::NoEndpoint(other),
        }
    }
}
