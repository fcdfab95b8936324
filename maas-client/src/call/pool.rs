//! Connections to endpoints: made when needed, kept while they are good, driven by the request that uses them.
//!
//! hyper speaks the protocol. A connection has no task of its own: the call that uses it polls it, so that no task waits
//! for another to be woken. Between two calls nobody polls it; whether the server has closed it is seen when it is taken.
//! What it leaves to others: time-outs, and what an answer means.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderValue};
use hyper::http::uri::{Authority, PathAndQuery};
use hyper::{Request, Response, Uri};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime;
use tower_service::Service;

/// What requests are made of.
type Body = Full<Bytes>;
type Stream<C> = <C as Service<Uri>>::Response;

/// Where a connection leads, and the runtime that wakes whoever polls it: no other may use it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Place {
    tls: bool,
    authority: Authority,
    runtime: runtime::Id,
}

/// A connection and the handle that puts requests into it.
struct Live<C: Connect> {
    sender: SendRequest<Body>,
    connection: http1::Connection<Stream<C>, Body>,
    /// It has ended and must not be polled again.
    over: bool,
}

struct Idle<C: Connect> {
    live: Box<Live<C>>,
    since: Instant,
}

/// Makes connections: a service that hyper's connectors are.
pub(super) trait Connect:
    Service<Uri, Response: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static, Error: Into<Cause>> + Clone
{
}

impl<C> Connect for C where
    C: Service<Uri, Response: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static, Error: Into<Cause>> + Clone
{
}

pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why there is no head of an answer.
#[derive(Debug)]
pub(super) enum Error {
    /// No connection could be made: nothing was sent.
    Connect(Cause),
    /// The connection failed, or what came is no HTTP.
    Exchange(hyper::Error),
}

/// The connections of a caller.
pub(super) struct Pool<C: Connect> {
    connector: C,
    /// How long an unused connection is kept.
    idle: Duration,
    /// Unused connections kept per endpoint.
    most: usize,
    kept: Mutex<Kept<C>>,
}

struct Kept<C: Connect> {
    /// By place, the one used last at the end.
    places: HashMap<Place, VecDeque<Idle<C>>, foldhash::quality::RandomState>,
    swept: Instant,
}

/// An answer whose body is still to be read.
pub(super) struct Exchange<'a, C: Connect> {
    pool: &'a Pool<C>,
    place: Place,
    live: Box<Live<C>>,
}

impl<C: Connect> Pool<C> {
    pub(super) fn new(connector: C, idle: Duration, most: usize) -> Pool<C> {
        let kept = Mutex::new(Kept { places: HashMap::default(), swept: Instant::now() });
        Pool { connector, idle, most, kept }
    }

    /// Sends a request and waits for the head of its answer. A kept connection that turns out to be closed before the
    /// request went out is replaced; what may have reached the server is not sent again.
    pub(super) async fn request(
        &self,
        mut request: Request<Body>,
    ) -> Result<(Response<Incoming>, Exchange<'_, C>), Error> {
        let uri = std::mem::take(request.uri_mut());
        let place = address(&mut request, &uri)?;
        loop {
            let (mut live, kept) = match self.take(&place).await {
                Some(live) => (live, true),
                // Rare, and not worth its room in every request.
                None => (Box::pin(self.connect(uri.clone())).await?, false),
            };
            match live.send(request).await {
                Ok(response) => return Ok((response, Exchange { pool: self, place, live })),
                Err(mut refused) => match refused.take_message().filter(|_| kept) {
                    Some(unsent) => request = unsent,
                    None => return Err(Error::Exchange(refused.into_error())),
                },
            }
        }
    }

    async fn connect(&self, uri: Uri) -> Result<Box<Live<C>>, Error> {
        let mut connector = self.connector.clone();
        let connect = |error: C::Error| Error::Connect(error.into());
        poll_fn(|context| connector.poll_ready(context)).await.map_err(connect)?;
        let stream = connector.call(uri).await.map_err(connect)?;
        let (sender, connection) = http1::handshake(stream).await.map_err(Error::Exchange)?;
        Ok(Box::new(Live { sender, connection, over: false }))
    }

    /// A kept connection that is still open, the one used last first.
    async fn take(&self, place: &Place) -> Option<Box<Live<C>>> {
        loop {
            let Idle { mut live, since } = self.lock().places.get_mut(place)?.pop_back()?;
            if since.elapsed() < self.idle && live.is_good().await {
                return Some(live);
            }
        }
    }

    fn keep(&self, place: Place, live: Box<Live<C>>) {
        let (now, mut dropped) = (Instant::now(), Vec::new());
        let mut kept = self.lock();
        let at_place = kept.places.entry(place).or_default();
        at_place.push_back(Idle { live, since: now });
        if at_place.len() > self.most {
            dropped.extend(at_place.pop_front());
        }
        if now.duration_since(kept.swept) >= self.idle {
            kept.swept = now;
            kept.places.retain(|_, at_place| {
                let old = at_place.partition_point(|idle| now.duration_since(idle.since) >= self.idle);
                dropped.extend(at_place.drain(..old));
                !at_place.is_empty()
            });
        }
        drop(kept);
        // Closing them is nothing to hold others up for.
        drop(dropped);
    }

    fn lock(&self) -> MutexGuard<'_, Kept<C>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Connect> Exchange<'_, C> {
    /// Waits for what depends on the connection, such as the body.
    pub(super) fn drive<T>(&mut self, future: impl Future<Output = T>) -> impl Future<Output = T> {
        self.live.drive(future)
    }

    /// Keeps the connection for the next request, if the server lets it; to be called when the whole answer was read.
    pub(super) async fn finish(mut self) {
        if self.live.is_good().await {
            self.pool.keep(self.place, self.live);
        }
    }
}

impl<C: Connect> Live<C> {
    fn send(
        &mut self,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Body>>>> {
        let response = self.sender.try_send_request(request);
        drive(&mut self.connection, &mut self.over, response)
    }

    fn drive<T>(&mut self, future: impl Future<Output = T>) -> impl Future<Output = T> {
        drive(&mut self.connection, &mut self.over, future)
    }

    /// Whether it can take a request: it is open, and the exchange before is over.
    async fn is_good(&mut self) -> bool {
        let seen = poll_fn(|context| {
            self.over = self.over || Pin::new(&mut self.connection).poll(context).is_ready();
            Poll::Ready(())
        });
        seen.await;
        !self.over && self.sender.is_ready()
    }
}

/// Polls the connection until `future`, which waits for something that comes through it, is ready. How the connection
/// ended is told by the future.
fn drive<T>(
    connection: &mut (impl Future + Unpin),
    over: &mut bool,
    future: impl Future<Output = T>,
) -> impl Future<Output = T> {
    let mut future = Box::pin(future);
    poll_fn(move |context| {
        if let Poll::Ready(ready) = future.as_mut().poll(context) {
            return Poll::Ready(ready);
        }
        *over = *over || Pin::new(&mut *connection).poll(context).is_ready();
        future.as_mut().poll(context)
    })
}

/// Writes the request's target and host the way a server expects them, and tells where it goes.
fn address(request: &mut Request<Body>, uri: &Uri) -> Result<Place, Error> {
    let no_host = || Error::Connect("the url has no host".into());
    let authority = uri.authority().ok_or_else(no_host)?.clone();
    let tls = uri.scheme_str() == Some("https");
    let default_port = if tls { 443 } else { 80 };
    // What stands before an at sign is not for the server.
    let host = match authority.port_u16().filter(|port| *port != default_port) {
        Some(_) => authority.as_str().rsplit('@').next().unwrap_or_default(),
        None => authority.host(),
    };
    let host = HeaderValue::from_str(host).map_err(|_| no_host())?;
    request.headers_mut().insert(HOST, host);
    let target = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(target);
    Ok(Place { tls, authority, runtime: runtime::Handle::current().id() })
}
