//! Asking a master over its HTTP: JSON documents, and text that may go on for ever (logs).
//!
//! One connection a question, plain HTTP; what the answers hold is `maas_client::api`'s.

use crate::error::Error;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use maas_cli::{ErrorCode, Failure};
use maas_client::api::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::net::TcpStream;
use url::Url;

/// Largest document read from a master.
const MAX_BODY: usize = 64 << 20;
/// How long connecting, and each document, may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a text is no address of a master.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadUrl {
    /// No url at all.
    #[error("no url")]
    Syntax(#[from] url::ParseError),
    /// Something else than http.
    #[error("scheme {0:?}; a master speaks http")]
    Scheme(String),
    /// No host in it.
    #[error("no host")]
    Host,
    /// Neither scheme nor port.
    #[error("no port")]
    Port,
}

/// A master's address, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl(Url);

impl BaseUrl {
    /// Checks a text; `HOST:PORT` is taken as `http://HOST:PORT`.
    pub(crate) fn parse(text: &str) -> Result<BaseUrl, BadUrl> {
        let text = text.trim();
        let has_scheme = text.contains("://");
        let url = if has_scheme { Url::parse(text)? } else { Url::parse(&format!("http://{text}"))? };
        if url.scheme() != "http" {
            return Err(BadUrl::Scheme(url.scheme().to_string()));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(BadUrl::Host);
        }
        // A word alone is more likely a slip than a host with a master on port 80.
        let port = text.split('/').next().and_then(|authority| authority.rsplit_once(':')).map(|(_, port)| port);
        if !has_scheme && port.is_none_or(|port| port.parse::<u16>().is_err()) {
            return Err(BadUrl::Port);
        }
        Ok(BaseUrl(url))
    }

    fn authority(&self) -> (String, u16) {
        let host = self.0.host_str().unwrap_or_default().trim_matches(['[', ']']).to_string();
        (host, self.0.port_or_known_default().unwrap_or(80))
    }
}

/// A path with its query, made of checked and escaped parts.
pub(crate) struct Target(Url);

impl Target {
    /// `/api/v1/…` from its segments.
    pub(crate) fn api(segments: &[&str]) -> Target {
        let mut url = Url::parse("http://x/api/v1").unwrap_or_else(|_| unreachable!("a constant url"));
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        Target(url)
    }

    /// Adds a query parameter.
    pub(crate) fn with(mut self, key: &str, value: impl AsRef<str>) -> Target {
        self.0.query_pairs_mut().append_pair(key, value.as_ref());
        self
    }

    pub(crate) fn text(&self) -> String {
        match self.0.query() {
            Some(query) => format!("{}?{query}", self.0.path()),
            None => self.0.path().to_string(),
        }
    }
}

/// A master's HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    base: BaseUrl,
    token: Option<String>,
}

impl Api {
    /// The master at this address; the token goes along as a bearer token.
    pub(crate) fn new(base: BaseUrl, token: Option<String>) -> Api {
        Api { base, token }
    }

    /// A document.
    pub(crate) async fn get<T: DeserializeOwned>(&self, target: Target) -> Result<T, Error> {
        let response = self.within(self.send(Method::GET, &target, None)).await?;
        self.document(response).await
    }

    /// A document in answer to one.
    pub(crate) async fn post<T: DeserializeOwned>(&self, target: Target, body: &impl Serialize) -> Result<T, Error> {
        let body = serde_json::to_vec(body).map_err(std::io::Error::other)?;
        let response = self.within(self.send(Method::POST, &target, Some(body))).await?;
        self.document(response).await
    }

    /// Text as it comes.
    pub(crate) async fn stream(&self, target: Target) -> Result<TextStream, Error> {
        let response = self.within(self.send(Method::GET, &target, None)).await?;
        let response = self.successful(response).await?;
        Ok(TextStream { body: response.into_body(), base: self.base.0.to_string() })
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match tokio::time::timeout(TIMEOUT, work).await {
            Ok(result) => result,
            Err(_) => {
                let message = format!("the master at {} did not answer in {} s", self.base.0, TIMEOUT.as_secs());
                Err(Error::say(ErrorCode::MasterUnreachable, message))
            }
        }
    }

    async fn send(&self, method: Method, target: &Target, body: Option<Vec<u8>>) -> Result<Response<Incoming>, Error> {
        let (host, port) = self.base.authority();
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|error| self.unreachable(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.unreachable(&error))?;
        // The connection ends with its answer; a failure shows there.
        tokio::spawn(connection);
        let authority = match self.base.0.port() {
            Some(port) => format!("{}:{port}", self.base.0.host_str().unwrap_or_default()),
            None => self.base.0.host_str().unwrap_or_default().to_string(),
        };
        let mut request = Request::builder().method(method).uri(target.text()).header(header::HOST, authority);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request =
            request.body(Full::new(Bytes::from(body.unwrap_or_default()))).map_err(|error| self.unreachable(&error))?;
        sender.send_request(request).await.map_err(|error| self.unreachable(&error))
    }

    async fn document<T: DeserializeOwned>(&self, response: Response<Incoming>) -> Result<T, Error> {
        let response = self.successful(response).await?;
        let bytes = self.body(response).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!("{} answered something else than a master does", self.base.0);
            Failure::new(ErrorCode::MasterUnreachable, message).because(&error).into()
        })
    }

    async fn body(&self, response: Response<Incoming>) -> Result<Bytes, Error> {
        let collected = self
            .within(async { Ok(Limited::new(response.into_body(), MAX_BODY).collect().await) })
            .await?
            .map_err(|error| self.unreachable(error.as_ref()))?;
        Ok(collected.to_bytes())
    }

    /// The response, or the problem it tells of.
    async fn successful(&self, response: Response<Incoming>) -> Result<Response<Incoming>, Error> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = self.body(response).await?;
        Err(problem_failure(status.as_u16(), &bytes, self.base.0.as_str()).into())
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> Error {
        Failure::new(ErrorCode::MasterUnreachable, format!("the master at {} can't be reached", self.base.0))
            .because(error)
            .into()
    }
}

/// A master's refusal in its own words, under its own code where that is of our list.
fn problem_failure(status: u16, body: &[u8], base: &str) -> Failure {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => {
            let by_status = match status {
                404 => ErrorCode::NoInstance,
                401 | 403 => ErrorCode::NotPermitted,
                400..=499 => ErrorCode::BadRequest,
                _ => ErrorCode::MasterUnreachable,
            };
            Failure::new(problem.code.parse().unwrap_or(by_status), problem.detail)
        }
        Err(_) => Failure::new(ErrorCode::MasterUnreachable, format!("{base} answered {status} and no explanation")),
    }
}

/// Text that arrives in pieces.
pub(crate) struct TextStream {
    body: Incoming,
    base: String,
}

impl TextStream {
    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Some(Err(error)) => {
                    let message = format!("the connection to the master at {} broke off", self.base);
                    return Err(Failure::new(ErrorCode::MasterUnreachable, message).because(&error).into());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_checked_and_parts_of_a_path_are_escaped() {
        assert_eq!(BaseUrl::parse("node7:8080").unwrap().authority(), ("node7".to_string(), 8080));
        assert_eq!(BaseUrl::parse("http://[::1]:80/").unwrap().authority(), ("::1".to_string(), 80));
        for bad in ["", "https://x", "http://", "file:///x", "notaurl", "node7"] {
            assert!(BaseUrl::parse(bad).is_err(), "{bad}");
        }
        let target = Target::api(&["instances", "a/../b?", "logs"]).with("tail", "2&x=1");
        assert_eq!(target.text(), "/api/v1/instances/a%2F..%2Fb%3F/logs?tail=2%26x%3D1");
    }

    #[test]
    fn a_problem_keeps_its_code_and_words() {
        let body = br#"{"type":"t","title":"t","status":404,"detail":"no instance 7f3a","code":"no_logs"}"#;
        let failure = problem_failure(404, body, "http://x/");
        assert_eq!((failure.code(), failure.message()), (ErrorCode::NoLogs, "no instance 7f3a"));
        assert_eq!(problem_failure(502, b"<html>", "http://x/").exit(), 6);
    }
}
