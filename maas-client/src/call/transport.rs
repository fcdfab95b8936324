//! One try: a request over a pooled connection, bounded in time and size, its failure classified.
//!
//! Knows neither models nor retries: [`crate::retry`] decides on [`Failure`]s, [`crate::balance`] on [`Signal`]s.

use crate::balance::Signal;
use crate::retry::Failure;
use crate::state::Method;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error as StdError;
use std::io;
use std::time::Duration;
use tokio::time::timeout;

#[cfg(feature = "tls")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "tls"))]
type Connector = HttpConnector;

/// Knobs of connections.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How long a connection may take to be made. Default 1 s.
    pub connect: Duration,
    /// How long an unused connection is kept. Default 20 s.
    pub idle: Duration,
    /// Unused connections kept per endpoint. Default 256.
    pub idle_most: usize,
    /// The largest answer read, bytes. Default 16 MiB.
    pub answer_most: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Policy { connect: Duration::from_secs(1), idle: Duration::from_secs(20), idle_most: 256, answer_most: 16 << 20 }
    }
}

/// A status from 200 to 299 with its body.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// A try that failed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) failure: Failure,
    /// What it says of the endpoint's health.
    pub(super) signal: Signal,
    /// What was wrong, for a person.
    pub(super) detail: String,
    /// The answer, when there was one.
    pub(super) body: Bytes,
}

impl Failed {
    fn new(failure: Failure, signal: Signal, detail: impl Into<String>) -> Failed {
        Failed { failure, signal, detail: detail.into(), body: Bytes::new() }
    }

    /// The time of one try is over.
    fn timed_out(limit: Duration) -> Failed {
        Failed::new(Failure::TimedOut, Signal::Fault, format!("no answer in {} ms", limit.as_millis()))
    }
}

/// The connection pool.
pub(super) struct Transport {
    client: Client<Connector, Full<Bytes>>,
    answer_most: usize,
}

impl Transport {
    pub(super) fn new(policy: &Policy) -> Result<Transport, io::Error> {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.set_connect_timeout(Some(policy.connect));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(policy.idle)
            .pool_max_idle_per_host(policy.idle_most)
            .build(connector(http)?);
        Ok(Transport { client, answer_most: policy.answer_most })
    }

    /// Sends once and reads the whole answer, all within `limit`. The request is made at once, so that what is waited for is small.
    pub(super) fn send(
        &self,
        method: Method,
        target: String,
        body: Bytes,
        limit: Duration,
    ) -> impl Future<Output = Result<Reply, Failed>> + use<> {
        let sent = request(method, target, body).map(|request| self.client.request(request));
        let answer_most = self.answer_most;
        async move {
            match timeout(limit, reply(sent?, answer_most)).await {
                Ok(answer) => answer,
                Err(_) => Err(Failed::timed_out(limit)),
            }
        }
    }
}

fn request(method: Method, target: String, body: Bytes) -> Result<Request<Full<Bytes>>, Failed> {
    let uri = match Uri::from_maybe_shared(Bytes::from(target)) {
        Ok(uri) => uri,
        Err(error) => return Err(Failed::new(Failure::NotSent, Signal::Lost, format!("no url: {error}"))),
    };
    if cfg!(not(feature = "tls")) && uri.scheme_str() != Some("http") {
        return Err(Failed::new(
            Failure::NotSent,
            Signal::Lost,
            "only http is spoken here; https needs a build with tls",
        ));
    }
    let mut request = Request::new(Full::new(body));
    *request.uri_mut() = uri;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    if method == Method::Post {
        *request.method_mut() = hyper::Method::POST;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(request)
}

async fn reply(sent: ResponseFuture, answer_most: usize) -> Result<Reply, Failed> {
    let (status, body) = match sent.await {
        Ok(response) => (response.status(), Limited::new(response.into_body(), answer_most)),
        Err(error) => return Err(before_answer(&error)),
    };
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let detail = format!("an answer of more than {answer_most} bytes");
            return Err(Failed::new(Failure::BadAnswer, Signal::Answered, detail));
        }
        Err(error) => {
            let detail = format!("connection lost within the answer: {}", deepest(&*error));
            return Err(Failed::new(Failure::Broken, Signal::Lost, detail));
        }
    };
    if status.is_success() {
        return Ok(Reply { status: status.as_u16(), body });
    }
    let signal = if status >= StatusCode::INTERNAL_SERVER_ERROR { Signal::Fault } else { Signal::Answered };
    let detail = format!("status {}", status.as_u16());
    Err(Failed { body, ..Failed::new(Failure::Status(status.as_u16()), signal, detail) })
}

#[cfg(feature = "tls")]
fn connector(mut http: HttpConnector) -> Result<Connector, io::Error> {
    http.enforce_http(false);
    let builder = hyper_rustls::HttpsConnectorBuilder::new().with_native_roots()?;
    Ok(builder.https_or_http().enable_http1().wrap_connector(http))
}

#[cfg(not(feature = "tls"))]
fn connector(http: HttpConnector) -> Result<Connector, io::Error> {
    Ok(http)
}

/// Classifies what went wrong before the head of an answer was there.
fn before_answer(error: &hyper_util::client::legacy::Error) -> Failed {
    let cause = deepest(error);
    if error.is_connect() {
        let timed_out = find::<io::Error>(error).is_some_and(|io| io.kind() == io::ErrorKind::TimedOut);
        let signal = if timed_out { Signal::Lost } else { Signal::Refused };
        return Failed::new(Failure::NotSent, signal, format!("no connection: {cause}"));
    }
    if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
        return Failed::new(Failure::BadAnswer, Signal::Fault, format!("no HTTP: {cause}"));
    }
    Failed::new(Failure::Closed, Signal::Lost, "connection closed before an answer")
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}

fn deepest(error: &(dyn StdError + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}
