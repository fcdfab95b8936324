//! Web services that expressions may ask: REST_GET and REST_POST.
//!
//! Nothing is asked unless the global configuration lists the hosts that may be ([`Allowed`]). The functions know only [`RestCaller`]; [`RestClient`] is the
//! real one.

mod allowed;
mod caller;
mod client;
#[cfg(test)]
mod fake;
mod guard;
mod keys;
mod password;
mod settings;
#[cfg(test)]
mod tests;

pub use allowed::{Allowed, BadPattern};
pub use caller::{Credentials, Exchange, Method, RestCaller};
pub use client::RestClient;
pub use settings::{How, RestSettings};

#[cfg(test)]
pub(crate) use fake::Echo;
pub(crate) use keys::Given;
