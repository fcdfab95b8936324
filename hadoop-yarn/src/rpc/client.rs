//! A client of one protocol on one of several servers: connects when it is needed, connects again when a connection is lost, goes on to
//! the next server when one is down or stands by. What is tried again, and when, is [`super::retry`]'s decision.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prost::Message;
use rand::RngExt as _;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::connection::Connection;
use super::error::Error;
use super::frame;
use super::header::{ClientId, Protocol, UserInformation};
use super::options::Options;
use super::retry::{self, Count, Next, Situation};
use super::sasl::ServicePrincipal;
use crate::types::Token;

/// A pause that is told in a log for everybody.
const TOLD: Duration = Duration::from_secs(1);

/// Who we are to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authentication {
    /// A user's name, which the server takes on trust. What clusters without Kerberos use between clients and the ResourceManager.
    Simple {
        /// The user in whose name calls are made.
        user: String,
    },
    /// A token, by DIGEST-MD5. ApplicationMasterProtocol and ContainerManagementProtocol accept nothing else, on any cluster.
    Token(Token),
    /// Kerberos, with the ticket that `kinit` or a keytab (`KRB5_CLIENT_KTNAME`) gives the process. Needs the feature `kerberos`.
    Kerberos {
        /// What the server must be called.
        server: ServicePrincipal,
    },
}

impl Authentication {
    /// Calls are made in this user's name.
    pub fn simple(user: impl Into<String>) -> Self {
        Self::Simple { user: user.into() }
    }

    /// What stands in the connection context. After a negotiation nothing: the server knows who we are.
    pub(super) fn user_information(&self) -> Option<UserInformation> {
        match self {
            Self::Simple { user } => Some(UserInformation { effective: user.clone(), real: None }),
            Self::Token(_) | Self::Kerberos { .. } => None,
        }
    }
}

/// Whether a call may be sent again when it is not known whether the server took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// A second one changes nothing.
    Harmless,
    /// A second one may do something else than the first.
    Never,
}

/// A handle that is cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    protocol: Protocol,
    servers: Vec<String>,
    options: Options,
    id: ClientId,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Which of the servers is in use.
    current: usize,
    authentication: Authentication,
    connection: Option<Arc<Connection>>,
}

impl Client {
    /// A client of `servers` (host and port each), the first of which is tried first. Sends nothing yet.
    pub(crate) fn new(
        protocol: Protocol,
        servers: Vec<String>,
        authentication: Authentication,
        options: Options,
    ) -> Self {
        let state = Mutex::new(State { current: 0, authentication, connection: None });
        Self { inner: Arc::new(Inner { protocol, servers, options, id: rand::rng().random(), state }) }
    }

    /// The servers, host and port each.
    pub(crate) fn servers(&self) -> &[String] {
        &self.inner.servers
    }

    /// Uses another token from now on, over a new connection. Calls under way end on the old one.
    pub(crate) async fn authenticate(&self, authentication: Authentication) {
        let mut state = self.inner.state.lock().await;
        if state.authentication != authentication {
            state.authentication = authentication;
            state.connection = None;
        }
    }

    /// Calls a method and waits for its answer, through as many tries as the policy allows.
    pub(crate) async fn call<Answer: Message + Default>(
        &self,
        method: &'static str,
        repeat: Repeat,
        request: &impl Message,
    ) -> Result<Answer, Error> {
        let request = request.encode_length_delimited_to_vec();
        let began = Instant::now();
        let mut count = Count::default();
        loop {
            let (server, result) = self.attempt(method, count.failures, &request).await;
            let error = match result {
                Ok((address, mut body)) => {
                    return frame::take(&mut body, "answer").map_err(|source| Error::Protocol { address, source });
                }
                Err(error) => error,
            };
            count.add(&self.inner.options.retry, &error);
            let situation = Situation {
                idempotent: repeat == Repeat::Harmless,
                count,
                elapsed: began.elapsed(),
                servers: self.inner.servers.len(),
                jitter: rand::rng().random_range(0.0..=1.0),
            };
            match retry::decide(&self.inner.options.retry, &error, situation) {
                Next::Fail => return Err(error),
                Next::Retry { pause, move_on } => {
                    let error = super::error::chain(&error);
                    // Who waits for long wants to know for what.
                    if pause >= TOLD {
                        tracing::warn!(method, error, ?pause, "trying again");
                    } else {
                        tracing::debug!(method, error, ?pause, move_on, "trying again");
                    }
                    if move_on {
                        self.leave(server).await;
                    }
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// One try. Says which server it was, so that of many calls that fail together only one moves on.
    async fn attempt(
        &self,
        method: &str,
        failures: u32,
        request: &[u8],
    ) -> (usize, Result<(String, bytes::Bytes), Error>) {
        let Inner { protocol, options, .. } = &*self.inner;
        let (server, connection) = match self.connection().await {
            Ok(found) => found,
            Err((server, error)) => return (server, Err(error)),
        };
        let address = self.inner.servers[server].clone();
        let call = connection.call(*protocol, method, failures.cast_signed() & i32::MAX, request);
        let result = match options.call_timeout {
            None => call.await,
            Some(limit) => match timeout(limit, call).await {
                Ok(result) => result,
                Err(_) => {
                    // A server that hangs is not asked again over the same connection.
                    self.forget(&connection).await;
                    Err(Error::Timeout { method: method.to_owned(), address: address.clone(), limit })
                }
            },
        };
        (server, result.map(|body| (address, body)))
    }

    /// The connection in use, or a new one.
    async fn connection(&self) -> Result<(usize, Arc<Connection>), (usize, Error)> {
        let Inner { protocol, servers, options, id, state } = &*self.inner;
        let mut state = state.lock().await;
        let server = state.current;
        if let Some(connection) = &state.connection
            && connection.is_usable()
        {
            return Ok((server, Arc::clone(connection)));
        }
        state.connection = None;
        let address = servers.get(server).ok_or((server, Error::NoServer))?;
        let connection = Connection::open(address, &state.authentication, *protocol, *id, options)
            .await
            .map_err(|error| (server, error))?;
        let connection = Arc::new(connection);
        state.connection = Some(Arc::clone(&connection));
        Ok((server, connection))
    }

    /// Makes the next call open a new connection; calls under way on this one go on.
    async fn forget(&self, connection: &Arc<Connection>) {
        let mut state = self.inner.state.lock().await;
        if state.connection.as_ref().is_some_and(|current| Arc::ptr_eq(current, connection)) {
            state.connection = None;
        }
    }

    /// Goes on to the next server, unless another call has done so already.
    async fn leave(&self, server: usize) {
        let mut state = self.inner.state.lock().await;
        if state.current == server {
            state.current = (server + 1) % self.inner.servers.len();
            state.connection = None;
        }
    }
}

/// Text that cannot be guessed, for one negotiation.
pub(super) fn nonce() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(rand::rng().random::<[u8; 24]>())
}
