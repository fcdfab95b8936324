//! The seam between REST_GET and REST_POST and whatever sends their requests.

use std::fmt::Debug;
use std::path::PathBuf;

use async_trait::async_trait;
use url::Url;

use super::{How, RestSettings};
use crate::services::Failure;

/// Asks web services, for evaluations on any thread.
///
/// A request is sent once: it is not tried again when it fails, since it may have had its effect. The implementation bounds the time and the size of each.
#[async_trait]
pub trait RestCaller: Send + Sync + Debug {
    /// What the global configuration says.
    fn settings(&self) -> &RestSettings;

    /// The body of an answer whose status is allowed; empty where it has none.
    async fn call(&self, exchange: Exchange) -> Result<Vec<u8>, Failure>;
}

/// A request, and how it is made.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What is done.
    pub method: Method,
    /// Where.
    pub url: Url,
    /// What is sent.
    pub body: String,
    /// Times, statuses, credentials.
    pub how: How,
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Sends JSON, or what is taken for it.
    Post,
}

/// A user and the file with the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The file; all of it is the password.
    pub password: PathBuf,
    /// The directory that the file must be in, links followed; none: it may be anywhere.
    pub below: Option<PathBuf>,
}
