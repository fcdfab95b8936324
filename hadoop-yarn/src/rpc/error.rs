//! How a call can fail.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::exception::{Exception, ExceptionKind};
use super::frame::FrameError;
use super::sasl::SaslError;

/// Why a call has no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody listens there, the name does not resolve, or the way is closed. The call was not sent.
    #[error("no connection to {address}")]
    Connect {
        /// Host and port.
        address: String,
        /// What the system says.
        #[source]
        source: Arc<io::Error>,
    },
    /// The server did not take the connection, or did not finish the negotiation, in time. The call was not sent.
    #[error("no connection to {address} within {limit:?}")]
    ConnectTimeout {
        /// Host and port.
        address: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The connection went while the call was under way: the server may or may not have taken it.
    #[error("the connection to {address} was lost")]
    Lost {
        /// Host and port.
        address: String,
        /// What the system says; an end of file when the server closed it.
        #[source]
        source: Arc<io::Error>,
    },
    /// No answer in time: the server may or may not have taken the call.
    #[error("no answer to {method} from {address} within {limit:?}")]
    Timeout {
        /// The method.
        method: String,
        /// Host and port.
        address: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The server's own refusal.
    #[error("{address} refused")]
    Remote {
        /// Host and port.
        address: String,
        /// What the server says.
        #[source]
        exception: Exception,
    },
    /// The negotiation failed on our side: the server offers nothing that we have credentials for, or can't prove that it knows the token.
    #[error("no authentication with {address}")]
    Sasl {
        /// Host and port.
        address: String,
        /// What is wrong.
        #[source]
        source: SaslError,
    },
    /// What came is not Hadoop's RPC.
    #[error("{address} does not speak Hadoop's RPC as expected")]
    Protocol {
        /// Host and port.
        address: String,
        /// What is wrong.
        #[source]
        source: FrameError,
    },
    /// The request is longer than servers take. It was not sent.
    #[error("{method} with {length} bytes is longer than the limit of {limit} (ipc.maximum.data.length)")]
    RequestTooLong {
        /// The method.
        method: String,
        /// The request's length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// The answer lacks a field without which it means nothing.
    #[error("the answer to {method} lacks {field}")]
    Incomplete {
        /// The method.
        method: &'static str,
        /// What is missing.
        field: &'static str,
    },
    /// There is no server to call.
    #[error("no server is named: configure an address")]
    NoServer,
}

impl Error {
    /// The server's exception, when it is one.
    pub fn exception(&self) -> Option<&Exception> {
        match self {
            Self::Remote { exception, .. } => Some(exception),
            _ => None,
        }
    }

    /// What the server's exception means, when it is one.
    pub fn kind(&self) -> Option<ExceptionKind> {
        self.exception().map(Exception::kind)
    }

    /// Whether no server was reached, or it did not answer: the same call may succeed later.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::ConnectTimeout { .. } | Self::Lost { .. } | Self::Timeout { .. })
    }

    /// Whether the attempt that this application master belongs to is over: it must stop at once and touch nothing.
    ///
    /// An open connection is told so by `ApplicationAttemptNotFoundException`, a new one by a refused token. Seen on Hadoop 3.5.0.
    pub fn is_attempt_over(&self) -> bool {
        matches!(self.kind(), Some(ExceptionKind::AttemptNotFound | ExceptionKind::InvalidToken))
    }

    /// Whether the ResourceManager has forgotten this application master: register again, then send every ask again.
    pub fn is_not_registered(&self) -> bool {
        self.kind() == Some(ExceptionKind::NotRegistered)
    }
}

/// An error and its causes in one line, for a log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
