//! Hadoop's RPC, version 9: what every protocol of Hadoop is spoken in.
//!
//! Bytes first, sockets last: [`frame`] cuts a stream into frames, [`header`] says what is in them, [`sasl`] negotiates who we are and
//! seals what follows; none of them does any I/O. [`opening`] and [`connection`] drive them over one TCP connection, [`client`] keeps such a connection to
//! one of several servers, [`retry`] decides what follows a failure. The typed protocols stand in [`crate::client`].

mod client;
mod connection;
mod error;
mod exception;
pub(crate) mod frame;
pub(crate) mod header;
mod opening;
mod options;
mod retry;
pub(crate) mod sasl;

pub use client::Authentication;
pub(crate) use client::{Client, Repeat};
pub use error::Error;
pub use exception::{Exception, ExceptionKind};
pub use frame::FrameError;
pub use options::Options;
pub use retry::RetryPolicy;
pub use sasl::{Protection, SaslError, ServicePrincipal, ticket_owner};

#[cfg(test)]
mod tests;
