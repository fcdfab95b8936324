//! One GET of a master's HTTP, bounded in time and size.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The largest answer that is read.
const MOST_BYTES: usize = 64 << 20;

/// The body of `base` + `path`, or why not.
pub(crate) async fn get(base: &str, path: &str, longest: Duration) -> Result<Bytes, String> {
    timeout(longest, get_unbounded(base, path))
        .await
        .unwrap_or_else(|_| Err(format!("no answer in {} s", longest.as_secs())))
}

async fn get_unbounded(base: &str, path: &str) -> Result<Bytes, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let url = url::Url::parse(base).map_err(|error| text(&error))?;
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(format!("{base:?} has no host"));
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((bare, port)).await.map_err(|error| text(&error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| text(&error))?;
    let driver = tokio::spawn(connection);
    let request = Request::get(path)
        .header("host", format!("{host}:{port}"))
        .body(Empty::<Bytes>::new())
        .map_err(|error| text(&error))?;
    let answer = sender.send_request(request).await.map_err(|error| text(&error))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await.map_err(|error| text(&error))?;
    driver.abort();
    if !status.is_success() {
        return Err(format!("it answered {status}"));
    }
    Ok(body.to_bytes())
}
