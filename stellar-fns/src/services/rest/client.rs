//! Sending requests: over pooled connections, within their time and size, to allowed hosts only, redirections included.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, LOCATION, PROXY_AUTHORIZATION};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;
use tokio::time::timeout;
use tower_service::Service;
use url::Url;

use super::guard::{Guard, Refused, Resolve, SystemResolver};
use super::password::basic;
use super::{Credentials, Exchange, How, Method, RestCaller, RestSettings};
use crate::services::{Failure, Outcome};

/// How many redirections are followed.
const REDIRECTIONS: usize = 5;
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(20);
/// How many different connect timeouts have pools of their own; they come from expressions.
const POOLS: usize = 16;

#[cfg(feature = "tls")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector<Guard>>;
#[cfg(not(feature = "tls"))]
type Connector = HttpConnector<Guard>;

type Pool = Client<Connector, Full<Bytes>>;

/// Asks web services over HTTP/1.1.
pub struct RestClient {
    settings: RestSettings,
    guard: Guard,
    /// By connect timeout.
    pools: Mutex<HashMap<Duration, Pool>>,
}

impl fmt::Debug for RestClient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "RestClient({:?})", self.settings.allowed)
    }
}

/// What went wrong with one request, before its address is told with it.
pub(super) struct Trouble(pub(super) Outcome, pub(super) String);

impl RestClient {
    /// A client of these settings. Nothing is connected to yet.
    pub fn new(settings: RestSettings) -> Self {
        Self::resolving(settings, Arc::new(SystemResolver))
    }

    /// A client that asks this resolver for the addresses of names.
    pub(super) fn resolving(settings: RestSettings, resolver: Arc<dyn Resolve>) -> Self {
        let guard = Guard::new(Arc::new(settings.allowed.clone()), resolver);
        Self { settings, guard, pools: Mutex::default() }
    }

    async fn follow(&self, exchange: &Exchange) -> Result<Vec<u8>, Trouble> {
        let how = &exchange.how;
        let mut url = exchange.url.clone();
        for _ in 0..=REDIRECTIONS {
            self.check(&url)?;
            let request = request(exchange, &url).await?;
            let response = self.send(request, &url, how).await?;
            let status = response.status();
            if how.codes.contains(&status.as_u16()) {
                return self.body(response, how).await;
            }
            let redirection = exchange.method == Method::Get && matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
            let location = response.headers().get(LOCATION).filter(|_| redirection);
            let Some(location) = location.and_then(|location| location.to_str().ok()) else {
                let wanted = how.codes.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
                let message = format!("status {} where {wanted} is allowed", status.as_u16());
                return Err(Trouble(Outcome::Status, message));
            };
            let next = url.join(location).map_err(|error| {
                Trouble(Outcome::BadAnswer, format!("status {} leads to no url: {error}", status.as_u16()))
            })?;
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(Trouble(Outcome::Refused, format!("it leads from https to {}", shown(&next))));
            }
            url = next;
        }
        Err(Trouble(Outcome::Status, format!("more than {REDIRECTIONS} redirections")))
    }

    /// Refuses what may not be asked.
    fn check(&self, url: &Url) -> Result<(), Trouble> {
        let refused = |message: String| Err(Trouble(Outcome::Refused, message));
        match url.scheme() {
            "http" => {}
            "https" if cfg!(feature = "tls") => {}
            "https" => return refused("this build speaks http only; build it with --features tls for https".into()),
            other => return refused(format!("{other} is not spoken here; http and https are")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused(
                "credentials never stand in a url; use basic.auth.user and basic.auth.password.path".into(),
            );
        }
        let permitted = url.host().zip(url.port_or_known_default());
        let permitted = permitted.is_some_and(|(host, port)| self.settings.allowed.permits(&host, port));
        if !permitted {
            let host = url.host_str().unwrap_or_default();
            // The host alone may be listed, for another port.
            let port = url.port_or_known_default().unwrap_or_default();
            return refused(format!("{host}:{port} is not in hosts.allowed of stellar.rest.settings in global.json"));
        }
        Ok(())
    }

    async fn send(&self, request: Request<Full<Bytes>>, url: &Url, how: &How) -> Result<Response<Incoming>, Trouble> {
        let answered = match &how.proxy {
            Some((host, port, credentials)) => {
                if url.scheme() == "https" {
                    let message = "https through a proxy is not spoken here; take out proxy.host".into();
                    return Err(Trouble(Outcome::Refused, message));
                }
                timeout(how.socket, self.through(host, *port, credentials.as_ref(), request, how)).await
            }
            None => {
                let sent = self.pool(how.connect)?.request(request);
                timeout(how.socket, async { sent.await.map_err(|error| trouble(&error)) }).await
            }
        };
        answered.unwrap_or_else(|_| Err(no_byte(how)))
    }

    /// Sends over a connection of its own to a proxy, which must be an allowed host itself.
    async fn through(
        &self,
        host: &str,
        port: u16,
        credentials: Option<&Credentials>,
        mut request: Request<Full<Bytes>>,
        how: &How,
    ) -> Result<Response<Incoming>, Trouble> {
        let proxy = Url::parse(&format!("http://{host}:{port}/"))
            .map_err(|error| Trouble(Outcome::Refused, format!("{host}:{port} is no proxy: {error}")))?;
        self.check(&proxy)?;
        if let Some(credentials) = credentials {
            request.headers_mut().insert(PROXY_AUTHORIZATION, basic(credentials).await?);
        }
        let uri: Uri = proxy.as_str().parse().map_err(|error| trouble(&error))?;
        let connection = self.connector(how.connect).call(uri).await.map_err(|error| trouble(&error))?;
        let (mut sender, driver) =
            hyper::client::conn::http1::handshake(connection).await.map_err(|error| trouble(&error))?;
        // Ends with the answer, or when whoever waits for it is gone.
        tokio::spawn(driver);
        sender.send_request(request).await.map_err(|error| trouble(&error))
    }

    async fn body(&self, response: Response<Incoming>, how: &How) -> Result<Vec<u8>, Trouble> {
        let length = response.headers().get(hyper::header::CONTENT_LENGTH).cloned();
        let most = self.settings.max_bytes();
        let mut body = response.into_body();
        let mut bytes = Vec::new();
        while let Some(frame) = timeout(how.socket, body.frame()).await.map_err(|_| no_byte(how))? {
            let frame = frame.map_err(|error| trouble(&error))?;
            let Some(data) = frame.data_ref() else { continue };
            if (bytes.len() + data.len()) as u64 > most {
                let message = format!("an answer of more than {most} bytes; see max.bytes of stellar.rest.settings");
                return Err(Trouble(Outcome::TooLarge, message));
            }
            bytes.extend_from_slice(data);
        }
        if how.verify_length {
            let told = length.as_ref().and_then(|length| length.to_str().ok()).unwrap_or("nothing");
            if told != bytes.len().to_string() {
                let message = format!("an answer of {} bytes whose header says {told}", bytes.len());
                return Err(Trouble(Outcome::BadAnswer, message));
            }
        }
        Ok(bytes)
    }

    fn connector(&self, connect: Duration) -> HttpConnector<Guard> {
        let mut connector = HttpConnector::new_with_resolver(self.guard.clone());
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(connect));
        connector
    }

    fn pool(&self, connect: Duration) -> Result<Pool, Trouble> {
        let mut pools = self.pools.lock();
        if let Some(pool) = pools.get(&connect) {
            return Ok(pool.clone());
        }
        if pools.len() >= POOLS {
            pools.clear();
        }
        let pool = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            // An answer that was lost may have been acted upon: only who asks may ask again.
            .retry_canceled_requests(false)
            .build(secured(self.connector(connect))?);
        pools.insert(connect, pool.clone());
        Ok(pool)
    }
}

#[async_trait]
impl RestCaller for RestClient {
    fn settings(&self) -> &RestSettings {
        &self.settings
    }

    async fn call(&self, exchange: Exchange) -> Result<Vec<u8>, Failure> {
        let limit = exchange.how.timeout;
        let answer = timeout(limit, self.follow(&exchange))
            .await
            .unwrap_or_else(|_| Err(Trouble(Outcome::Timeout, format!("no answer in {} ms", limit.as_millis()))));
        answer.map_err(|Trouble(outcome, message)| Failure {
            outcome,
            about: exchange.url.host_str().unwrap_or_default().to_owned(),
            message: format!("{}: {message}", shown(&exchange.url)),
        })
    }
}

#[cfg(feature = "tls")]
fn secured(mut connector: HttpConnector<Guard>) -> Result<Connector, Trouble> {
    connector.enforce_http(false);
    let builder = hyper_rustls::HttpsConnectorBuilder::new().with_native_roots();
    let builder = builder
        .map_err(|error| Trouble(Outcome::Unreadable, format!("the system's certificates can't be read: {error}")))?;
    Ok(builder.https_or_http().enable_http1().wrap_connector(connector))
}

#[cfg(not(feature = "tls"))]
fn secured(connector: HttpConnector<Guard>) -> Result<Connector, Trouble> {
    Ok(connector)
}

async fn request(exchange: &Exchange, url: &Url) -> Result<Request<Full<Bytes>>, Trouble> {
    let mut plain = url.clone();
    plain.set_fragment(None);
    let uri: Uri = plain.as_str().parse().map_err(|error| trouble(&error))?;
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let mut request = Request::new(Full::new(Bytes::from(exchange.body.clone())));
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(&host).map_err(|error| trouble(&error))?);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    // Credentials are for who they were given for, and for nobody it leads to.
    if let Some(credentials) = exchange.how.credentials.as_ref().filter(|_| url.origin() == exchange.url.origin()) {
        headers.insert(AUTHORIZATION, basic(credentials).await?);
    }
    if exchange.method == Method::Post {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.method_mut() = hyper::Method::POST;
    }
    Ok(request)
}

fn no_byte(how: &How) -> Trouble {
    Trouble(Outcome::Timeout, format!("nothing came for {} ms", how.socket.as_millis()))
}

/// What an error of the transport means: refused where the guard did, else unreachable.
pub(super) fn trouble(error: &(dyn StdError + 'static)) -> Trouble {
    let mut message = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let refused = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(refused) = refused.and_then(|inner| inner.downcast_ref::<Refused>()) {
            return Trouble(Outcome::Refused, refused.to_string());
        }
        message = format!("{message}: {cause}");
        next = cause.source();
    }
    Trouble(Outcome::Unreachable, message)
}

/// A url without its query, in which there may be secrets.
fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // Neither can fail for a url with a host.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.into()
}
