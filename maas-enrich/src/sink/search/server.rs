//! The search server itself: what it is, and HTTP to it.

use std::time::Duration;

use maas_client::reason::chain;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use thiserror::Error as ThisError;

use crate::address::SearchUrl;

/// Longest a request may take: the first one on a new index takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the server waits for a part of an index that is nowhere at present, before it says so.
const WAIT_FOR_SHARDS: &str = "10s";

/// Why a request has no answer that can be used.
#[derive(Debug, ThisError)]
pub(super) enum Trouble {
    #[error("the server can't be reached: {}", chain(.0))]
    Unreachable(#[source] reqwest::Error),
    #[error("https is not built in; build maas-enrich with its feature tls")]
    WithoutTls,
    #[error("the server is busy: status {status}")]
    Busy { status: StatusCode },
    #[error("the request is too large for the server")]
    TooLarge,
    #[error("the server refused: status {status}, {text}")]
    Refused { status: StatusCode, text: String },
    #[error("the server refused this user: status {status} {text}; --search-credentials names another")]
    Denied { status: StatusCode, text: String },
    #[error("the template of the index can't be installed: {text}")]
    NoTemplate { text: String },
    #[error("this is no search server that is known here: {text}")]
    Unknown { text: String },
}

impl Trouble {
    /// Whether the documents of a request are at fault. What concerns the place or who we are (a changed password, a proxy, a missing right) passes, and is waited for.
    pub(super) fn is_of_documents(&self) -> bool {
        matches!(self, Self::TooLarge | Self::Refused { status: StatusCode::BAD_REQUEST, .. })
    }
}

/// What differs between servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// Whether documents have a mapping type.
    pub(super) typed: bool,
}

/// A server.
#[derive(Debug)]
pub(super) struct Server {
    client: Client,
    url: SearchUrl,
    /// The url without what is secret in it.
    name: String,
    kind: Kind,
}

#[derive(Deserialize)]
struct Info {
    version: Version,
}

#[derive(Deserialize)]
struct Version {
    number: String,
    #[serde(default)]
    distribution: String,
}

impl Server {
    pub(super) async fn connect(url: &SearchUrl) -> Result<Self, Trouble> {
        if cfg!(not(feature = "tls")) && url.whole().starts_with("https:") {
            return Err(Trouble::WithoutTls);
        }
        let client =
            Client::builder().connect_timeout(CONNECT).timeout(PATIENCE).build().map_err(Trouble::Unreachable)?;
        let server = Self { client, url: url.clone(), name: url.to_string(), kind: Kind { typed: false } };
        let text = server.said(server.client.get(url.whole())).await?;
        let info: Info = serde_json::from_str(&text).map_err(|_| Trouble::Unknown { text: start_of(&text) })?;
        let kind = kind(&info).ok_or_else(|| Trouble::Unknown { text: format!("version {}", info.version.number) })?;
        Ok(Self { kind, ..server })
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// As people may see it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url.whole())
    }

    pub(super) async fn exists(&self, path: &str) -> Result<bool, Trouble> {
        match self.said(self.client.get(self.at(path))).await {
            Ok(_) => Ok(true),
            Err(Trouble::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(false),
            Err(trouble) => Err(trouble),
        }
    }

    pub(super) async fn put(&self, path: &str, body: String) -> Result<(), Trouble> {
        let request = self.client.put(self.at(path)).header("content-type", "application/json");
        self.said(request.body(body)).await.map(drop)
    }

    pub(super) async fn bulk(&self, body: Vec<u8>) -> Result<Vec<u8>, Trouble> {
        let request = self
            .client
            .post(self.at(&format!("/_bulk?timeout={WAIT_FOR_SHARDS}")))
            .header("content-type", "application/x-ndjson");
        Ok(self.said(request.body(body)).await?.into_bytes())
    }

    async fn said(&self, request: reqwest::RequestBuilder) -> Result<String, Trouble> {
        let response = request.send().await.map_err(Trouble::Unreachable)?;
        let status = response.status();
        let text = response.text().await.map_err(Trouble::Unreachable)?;
        match status {
            _ if status.is_success() => Ok(text),
            StatusCode::PAYLOAD_TOO_LARGE => Err(Trouble::TooLarge),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Err(Trouble::Busy { status }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Trouble::Denied { status, text: start_of(&text) }),
            _ if status.is_server_error() => Err(Trouble::Busy { status }),
            _ => Err(Trouble::Refused { status, text: start_of(&text) }),
        }
    }
}

/// Elasticsearch before 7 has mapping types, OpenSearch never shows them. None for what is older than 5.
fn kind(info: &Info) -> Option<Kind> {
    let major: u32 = info.version.number.split('.').next()?.parse().ok()?;
    match info.version.distribution.as_str() {
        "opensearch" => Some(Kind { typed: false }),
        _ if major >= 7 => Some(Kind { typed: false }),
        _ if major >= 5 => Some(Kind { typed: true }),
        _ => None,
    }
}

fn start_of(text: &str) -> String {
    text.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_apart() {
        let kind = |text: &str| kind(&serde_json::from_str(text).unwrap()).map(|kind| kind.typed);
        assert_eq!(kind(r#"{"version":{"number":"2.19.1","distribution":"opensearch"}}"#), Some(false));
        assert_eq!(kind(r#"{"version":{"number":"7.10.2"}}"#), Some(false));
        assert_eq!(kind(r#"{"version":{"number":"5.6.16"}}"#), Some(true));
        assert_eq!(kind(r#"{"version":{"number":"2.4.0"}}"#), None);
    }
}
