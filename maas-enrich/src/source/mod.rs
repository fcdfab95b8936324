//! Sources: where lines come from.
//!
//! A source gives lines in batches and is told which of them are safely written. It never gives up a line by itself. `lines` reads files and standard input,
//! `kafka` topics.

#[cfg(feature = "kafka")]
pub mod kafka;
mod line_reader;
mod lines;
mod tail;

use std::convert::Infallible;

use async_trait::async_trait;
use thiserror::Error as ThisError;

use crate::event::{Place, Raw};

pub use lines::Lines;

/// Why a source can't be read.
#[derive(Debug, ThisError)]
pub enum Error {
    /// A file or standard input.
    #[error("{name} can't be read")]
    Unreadable {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
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

/// Gives lines.
#[async_trait(?Send)]
pub trait Source {
    /// The next lines, in order within their partition; none at the end. Dropping the future loses nothing.
    async fn next(&mut self) -> Result<Option<Vec<Raw>>, Error>;

    /// Does what a source must do while nothing is asked for, such as remaining a member of its group. Never ends; dropping the future loses nothing.
    async fn attend(&mut self) -> Infallible {
        std::future::pending().await
    }

    /// All lines up to these, of each partition the last that is named, are written for good. May be told late or never.
    fn acknowledge(&mut self, places: &[Place]);

    /// Nothing more will be asked for; what is acknowledged is to be kept.
    async fn close(&mut self) -> Result<(), Error>;

    /// Lines that wait, by partition, as far as it is known.
    fn lag(&self) -> Vec<(i32, i64)> {
        Vec::new()
    }
}
