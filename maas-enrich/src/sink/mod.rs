//! Sinks: where documents and error records go.
//!
//! A sink has written a batch when [`Sink::write`] returns; what it refuses of it comes back with the reason. `lines` writes JSON lines, `search`
//! to a search server, `kafka` to a topic.

#[cfg(feature = "kafka")]
pub mod kafka;
mod lines;
pub mod search;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use thiserror::Error as ThisError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::Sensor;
use crate::event::Raw;
use crate::message::Message;

pub use lines::JsonLines;
pub(crate) use lines::is_full;

/// How long sinks that take nothing are tried after the end was asked for, all of a worker's together.
const LAST_TRIES: Duration = Duration::from_secs(10);

/// A message to be written.
#[derive(Debug, Clone)]
pub struct Document {
    /// Stays the same when the line is read again.
    pub guid: String,
    /// Its fields.
    pub message: Message,
}

/// A document that was not taken, and will never be.
#[derive(Debug, ThisError)]
#[error("document {index} of the batch was refused: {reason}")]
pub struct Rejected {
    /// Which of the batch.
    pub index: usize,
    /// Why.
    pub reason: String,
}

/// Why a sink can't be written to.
#[derive(Debug, ThisError)]
pub enum Error {
    /// A file or standard output.
    #[error("{name} can't be written")]
    Unwritable {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Whoever reads standard output is gone: no error of ours.
    #[error("nobody reads standard output any more")]
    Closed,
    /// Another system says that this user may not.
    #[error("{name}: {message}")]
    Denied {
        /// Which.
        name: String,
        /// What it says.
        message: String,
    },
    /// Another system.
    #[error("{name}: {message}")]
    Refused {
        /// Which.
        name: String,
        /// What it says.
        message: String,
    },
}

/// Takes documents.
#[async_trait(?Send)]
pub trait Sink {
    /// The configuration has changed: what is written from now on is written as it says.
    fn configure(&self, sensor: &Sensor) -> Result<(), Error> {
        let _ = sensor;
        Ok(())
    }

    /// Writes all of them, trying again for as long as it takes where that can help. A document that was written before is written over.
    async fn write(&self, documents: &[Document]) -> Result<Vec<Rejected>, Error>;

    /// Writes lines as they came, to be read again. A search server takes none.
    async fn put_aside(&self, lines: &[Raw]) -> Result<(), Error> {
        let message = format!("{} lines can't be put aside here; a topic or a file takes them", lines.len());
        Err(Error::Refused { name: "this sink".into(), message })
    }
}

/// When sinks that take nothing are given up. Its clones share the time that is left after the end was asked for, of which only what is spent in sinks counts: a model
/// that is slow meanwhile takes nothing of it.
#[derive(Debug, Clone)]
pub struct LastTries {
    stop: CancellationToken,
    left: Arc<Mutex<Duration>>,
}

impl LastTries {
    /// Tries without an end until this asks for it.
    pub fn after(stop: CancellationToken) -> Self {
        Self { stop, left: Arc::new(Mutex::new(LAST_TRIES)) }
    }

    /// What comes of trying; none where it took too long after the end was asked for, be it in the middle of a request.
    async fn until_given_up<T>(&self, trying: impl Future<Output = T>) -> Option<T> {
        let since = Cell::new(None);
        let too_long = async {
            self.stop.cancelled().await;
            since.set(Some(Instant::now()));
            let left = *self.left.lock();
            tokio::time::sleep(left).await;
        };
        let done = tokio::select! {
            biased;
            done = trying => Some(done),
            () = too_long => None,
        };
        if let Some(since) = since.get() {
            let mut left = self.left.lock();
            *left = left.saturating_sub(since.elapsed());
        }
        done
    }
}

/// Drops what it is given.
#[derive(Debug)]
pub struct Null;

#[async_trait(?Send)]
impl Sink for Null {
    async fn write(&self, _: &[Document]) -> Result<Vec<Rejected>, Error> {
        Ok(Vec::new())
    }

    async fn put_aside(&self, _: &[Raw]) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_never_ends_is_given_up_a_while_after_the_end_was_asked_for() {
        let stop = CancellationToken::new();
        let tries = LastTries::after(stop.clone());
        let never = tries.until_given_up(std::future::pending::<()>());
        tokio::pin!(never);
        assert!(tokio::time::timeout(LAST_TRIES * 100, &mut never).await.is_err());
        stop.cancel();
        assert_eq!(tokio::time::timeout(LAST_TRIES * 2, &mut never).await, Ok(None));
    }

    #[tokio::test(start_paused = true)]
    async fn all_sinks_together_are_tried_for_so_long_and_what_is_spent_elsewhere_does_not_count() {
        let stop = CancellationToken::new();
        let (tries, others) = (LastTries::after(stop.clone()), LastTries::after(stop.clone()));
        let half = || tokio::time::sleep(LAST_TRIES / 2 - Duration::from_millis(10));
        assert_eq!(tries.until_given_up(tokio::time::sleep(LAST_TRIES * 2)).await, Some(()));
        stop.cancel();
        assert_eq!(tries.until_given_up(half()).await, Some(()));
        tokio::time::sleep(LAST_TRIES * 2).await;
        assert_eq!(tries.clone().until_given_up(half()).await, Some(()));
        assert_eq!(tries.until_given_up(half()).await, None);
        assert_eq!(others.until_given_up(half()).await, Some(()));
    }
}
