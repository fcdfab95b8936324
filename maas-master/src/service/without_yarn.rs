//! What stands in for `--on yarn` where this program is built without it: it says how to have it.

use crate::cli::Cli;
use crate::config::Config;
use crate::error::Error;
use crate::launcher::SharedLauncher;
use crate::reconciler::ApplicationAttempt;
use maas_client::config::Roots;
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

const NOT_BUILT: Error =
    Error::NotBuilt { on: "yarn", missing: "build it with cargo build --release -p maas-master --features yarn" };

/// Refuses.
#[expect(clippy::unused_async, reason = "the real one asks the cluster")]
pub(super) async fn submit(_cli: &Cli, _config: &Config) -> Result<u8, Error> {
    Err(NOT_BUILT)
}

/// There is none.
pub(super) enum Attempt {}

impl Attempt {
    /// Refuses.
    #[expect(clippy::unused_async, reason = "the real one asks the cluster")]
    pub(super) async fn begin(_config: &mut Config, _address: SocketAddr) -> Result<Attempt, Error> {
        Err(NOT_BUILT)
    }

    /// Never called.
    pub(super) fn launcher(&self, _config: &Config, _roots: &Roots) -> Result<SharedLauncher, Error> {
        match *self {}
    }

    /// Never called.
    pub(super) fn identity(&self) -> ApplicationAttempt {
        match *self {}
    }

    /// Never called.
    pub(super) fn over(&self) -> CancellationToken {
        match *self {}
    }

    /// Never called.
    #[expect(clippy::unused_async, reason = "the real one asks the cluster")]
    pub(super) async fn finish(self, _words: &str) {
        match self {}
    }
}
