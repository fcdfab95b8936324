//! The timeline server, version 1: domains, which say who may read and write what applications report there. Feature `timeline`.
//!
//! REST, in the caller's name as `user.name`: a server that asks for Kerberos over HTTP refuses. Seen on Hadoop 3.5.0. Entities are no business of this crate.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::config::TimelineConfig;

/// How long one call may take.
const LONGEST: Duration = Duration::from_secs(20);
/// The largest answer that is read.
const LARGEST: usize = 1 << 20;
/// How much of a server's own words is told.
const WORDS: usize = 300;
/// Nobody, in the words of Hadoop's access lists.
const NOBODY: &str = " ";

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Domain {
    /// Its name, unique on the server.
    pub id: String,
    /// What it is for.
    pub description: Option<String>,
    /// Who may read: `user1,user2 group1`, `*` for all; `None` for nobody but the owner.
    pub readers: Option<String>,
    /// Who may write, in the same form.
    pub writers: Option<String>,
}

/// Why the timeline server did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TimelineError {
    /// Nobody listens there, or the connection was lost.
    #[error("no timeline server answers at {address} (yarn.timeline-service.webapp.address)")]
    Unreachable {
        /// Host and port.
        address: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It said no.
    #[error("the timeline server at {address} refused with status {status}: {words}")]
    Refused {
        /// Host and port.
        address: String,
        /// HTTP's status.
        status: u16,
        /// Its own words, cut.
        words: String,
    },
}

/// A timeline server, called in a user's name.
#[derive(Debug, Clone)]
pub struct TimelineServer {
    address: String,
    user: String,
}

impl TimelineServer {
    /// The configured server. Connects with each call.
    pub fn new(config: &TimelineConfig, user: impl Into<String>) -> Self {
        Self { address: config.address.clone(), user: user.into() }
    }

    /// Makes a domain, owned by the user, or replaces what it says.
    pub async fn put_domain(&self, domain: &Domain) -> Result<(), TimelineError> {
        let body = json!({
            "id": domain.id,
            "description": domain.description,
            "owner": self.user,
            "readers": domain.readers.as_deref().unwrap_or(NOBODY),
            "writers": domain.writers.as_deref().unwrap_or(NOBODY),
        });
        let (status, answer) = self.send(Method::PUT, "domain", body.to_string()).await?;
        // Some refusals come with status 200, as a list of errors.
        let errors = answer.get("response").unwrap_or(&answer).get("errors").and_then(Value::as_array);
        if status.is_success() && errors.is_none_or(Vec::is_empty) {
            Ok(())
        } else {
            Err(self.refused(status, &answer))
        }
    }

    /// A domain as the server has it; `None` when it has none of that name that the user may see.
    pub async fn domain(&self, id: &str) -> Result<Option<Domain>, TimelineError> {
        let (status, answer) = self.send(Method::GET, &format!("domain/{}", encoded(id)), String::new()).await?;
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !status.is_success() {
            return Err(self.refused(status, &answer));
        }
        // Servers since 3.5 put it into an object of its own.
        let domain = answer.get("domain").unwrap_or(&answer);
        let part = |key: &str| domain.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(Some(Domain {
            id: part("id").unwrap_or_default(),
            description: part("description"),
            readers: part("readers").filter(|who| who != NOBODY),
            writers: part("writers").filter(|who| who != NOBODY),
        }))
    }

    fn refused(&self, status: StatusCode, answer: &Value) -> TimelineError {
        let own = answer.get("message").and_then(Value::as_str).map_or_else(|| answer.to_string(), str::to_owned);
        TimelineError::Refused {
            address: self.address.clone(),
            status: status.as_u16(),
            words: own.chars().take(WORDS).collect(),
        }
    }

    /// One exchange. An answer that is no JSON is told as a text.
    async fn send(&self, method: Method, path: &str, body: String) -> Result<(StatusCode, Value), TimelineError> {
        let failed = |source| TimelineError::Unreachable { address: self.address.clone(), source };
        let late = |_| failed(io::ErrorKind::TimedOut.into());
        let (status, body) =
            tokio::time::timeout(LONGEST, self.exchange(method, path, body)).await.map_err(late)?.map_err(failed)?;
        let read = serde_json::from_slice(&body);
        Ok((status, read.unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned().into())))
    }

    async fn exchange(&self, method: Method, path: &str, body: String) -> io::Result<(StatusCode, Bytes)> {
        let stream = TcpStream::connect(&self.address).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let request = Request::builder()
            .method(method)
            .uri(format!("/ws/v1/timeline/{path}?user.name={}", encoded(&self.user)))
            .header("host", &self.address)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(io::Error::other)?;
        let driver = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(io::Error::other)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LARGEST).collect().await.map_err(io::Error::other)?;
        driver.abort();
        Ok((status, body.to_bytes()))
    }
}

/// A text as a part of a URL.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
        url
    })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that gives one answer, and what it was asked.
    async fn answering(answer: &'static str) -> (TimelineServer, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = TimelineConfig { address: listener.local_addr().unwrap().to_string() };
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"}") && !asked.starts_with(b"GET") {
                assert_ne!(stream.read_buf(&mut asked).await.unwrap(), 0);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(asked).unwrap()
        });
        (TimelineServer::new(&config, "al ice"), asked)
    }

    #[tokio::test]
    async fn a_domain_is_put_in_the_user_s_name() {
        let (server, asked) =
            answering("HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n{\"response\":{\"errors\":[]}}").await;
        let domain = Domain { id: "a \"b\"".to_owned(), readers: Some("bob".to_owned()), ..Domain::default() };
        server.put_domain(&domain).await.unwrap();
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("PUT /ws/v1/timeline/domain?user.name=al%20ice HTTP/1.1\r\n"), "{asked}");
        let body: Value = serde_json::from_str(asked.split_once("\r\n\r\n").unwrap().1).unwrap();
        let expected =
            json!({"id": "a \"b\"", "description": null, "owner": "al ice", "readers": "bob", "writers": " "});
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn refusals_are_told_in_the_server_s_words() {
        let (server, _asked) =
            answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 17\r\n\r\n{\"message\":\"not\"}").await;
        let error = server.put_domain(&Domain::default()).await.unwrap_err().to_string();
        assert!(error.ends_with("refused with status 403: not"), "{error}");
        let (server, _asked) =
            answering("HTTP/1.1 200 OK\r\nContent-Length: 37\r\n\r\n{\"errors\":[{\"errorcode\":4,\"id\":\"x\"}]}\n")
                .await;
        let error = server.put_domain(&Domain::default()).await.unwrap_err().to_string();
        assert!(error.contains("\"errorcode\":4"), "{error}");
    }

    #[tokio::test]
    async fn a_server_that_is_down_is_told_with_its_key() {
        let config = TimelineConfig { address: "127.0.0.1:1".to_owned() };
        let error = TimelineServer::new(&config, "alice").put_domain(&Domain::default()).await.unwrap_err();
        let expected = "no timeline server answers at 127.0.0.1:1 (yarn.timeline-service.webapp.address)";
        assert_eq!(error.to_string(), expected);
    }
}
