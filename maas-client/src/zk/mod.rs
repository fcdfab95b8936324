//! The ZooKeeper adapter: [`ZkTree`], the real [`crate::tree::Tree`]. No type of the client library leaves this module.
//!
//! `options` what is asked for · `acl` who may do what · `worker` the thread one connection lives on · `session` the one
//! loop that keeps a session alive for every program · `diagnose` why a server can't be used · `tree` the calls.
//!
//! What the loop does that the library does not: after any lost connection it throws the library's client away and
//! connects anew, first with the old session (its ephemeral nodes live on as long as the server holds it), never more
//! than a second apart; it sets recursive watches again and says [`crate::tree::TreeChange::Resync`].

mod acl;
mod diagnose;
mod options;
mod session;
mod tree;
mod worker;

pub use options::{Credential, ZkOptions};
pub use tree::ZkTree;
