//! The negotiation that opens a connection where the server wants to know who we are. A pure state machine: messages in, messages out.
//!
//! [`negotiation`] is its course. For tokens [`challenge`] reads what a server says, [`digest`] has the proofs, [`seal`] wraps what follows under integrity
//! or privacy. For Kerberos [`kerberos`] decides which server may answer, `layer` what protects the connection, and [`gssapi`] has the system's library do the
//! rest; without the feature `kerberos` nothing is linked, and such a negotiation ends with saying so.

mod challenge;
mod digest;
mod error;
#[cfg(feature = "kerberos")]
mod gssapi;
#[cfg(not(feature = "kerberos"))]
#[path = "without_gssapi.rs"]
mod gssapi;
mod kerberos;
#[cfg(any(test, feature = "kerberos"))]
mod layer;
mod negotiation;
mod protection;
mod seal;

pub use error::SaslError;
pub(crate) use kerberos::Peer;
pub use kerberos::{ServicePrincipal, ticket_owner};
pub(crate) use negotiation::{Credential, Negotiation, Opener, Sealer, Security, Step};
pub use protection::Protection;
