//! Asks the published url whether the model is there: a connection, any HTTP answer, or a path that must answer 2xx;
//! and makes the warm-up calls.
//!
//! The published url is asked, not the local address, because that is what callers use. When only the local address
//! answers, the reason says so. When to ask, and what follows, is [`crate::lifecycle`]'s.

use crate::endpoint::Published;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, Response, Uri, body::Incoming};
use hyper_util::rt::TokioIo;
use maas_store::Settings;
use maas_store::settings::{self, Live, Ready, WarmUp};
use std::time::Duration;
use tokio::net::TcpStream;

/// The longest answer to a warm-up call that is read, bytes.
const MAX_ANSWER: usize = 16 << 20;

/// What counts as an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    /// A connection is enough.
    Connects,
    /// Any HTTP answer to a GET of the url itself, whatever its status.
    Answers,
    /// A GET of this path below the url answers 2xx.
    Path(String),
}

impl Check {
    fn from_settings(http: Option<&String>, tcp: Option<bool>) -> Check {
        match (http, tcp) {
            (Some(path), _) => Check::Path(path.clone()),
            (None, Some(true)) => Check::Connects,
            (None, _) => Check::Answers,
        }
    }
}

impl From<&Ready> for Check {
    fn from(ready: &Ready) -> Check {
        Check::from_settings(ready.http.as_ref(), ready.tcp)
    }
}

impl From<&Live> for Check {
    fn from(live: &Live) -> Check {
        Check::from_settings(live.http.as_ref(), live.tcp)
    }
}

/// Why a probe or a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{url}: no connection: {source}")]
    Connect { url: String, source: std::io::Error },
    #[error("{url}: no connection: {source}; it listens on 127.0.0.1 only, let it listen on 0.0.0.0")]
    LoopbackOnly { url: String, source: std::io::Error },
    #[error("{url}: {source}")]
    Http { url: String, source: hyper::Error },
    #[error("{url}: status {status}")]
    Status { url: String, status: u16 },
    #[error("{url}: no answer in {} ms", .timeout.as_millis())]
    Timeout { url: String, timeout: Duration },
    #[error("{url}: its answer can't be read: {problem}")]
    Answer { url: String, problem: String },
    #[error("function {0:?} is not among those of endpoint.dat")]
    NoFunction(String),
    #[error("{url} can't be called: {problem}")]
    Request { url: String, problem: String },
}

/// Why an endpoint can't be asked as the model's settings want it: an `https` one is asked for a connection only. Pure.
pub(crate) fn refusal(published: &Published, settings: &Settings) -> Option<String> {
    let live = settings.live.as_ref().and_then(|live| live.http.as_ref());
    let wanted = [
        (settings.ready.http.is_some(), "ready.http"),
        (live.is_some(), "live.http"),
        (!settings.warm_up.is_empty(), "warm_up"),
    ];
    let what = wanted.iter().find(|(wanted, _)| published.tls && *wanted)?.1;
    let url = &published.url;
    Some(format!(
        "endpoint.dat: {url} is https, which is only connected to: take {what} out of maas.json, or serve http"
    ))
}

/// Asks once, within `timeout`. What [`refusal`] refuses is not asked.
pub(crate) async fn ask(published: &Published, check: &Check, timeout: Duration) -> Result<(), Error> {
    let url = match check {
        Check::Path(path) => format!("{}/{}", published.url, path.trim_start_matches('/')),
        Check::Answers | Check::Connects => published.url.clone(),
    };
    let asking = async {
        let stream = connect(published, &url).await?;
        if published.tls || *check == Check::Connects {
            return Ok(());
        }
        let answer = exchange(stream, &url, Method::GET, None).await?;
        match check {
            Check::Path(_) if !answer.status().is_success() => {
                Err(Error::Status { url: url.clone(), status: answer.status().as_u16() })
            }
            _ => Ok(()),
        }
    };
    tokio::time::timeout(timeout, asking).await.unwrap_or_else(|_| Err(Error::Timeout { url: url.clone(), timeout }))
}

/// Makes one call as callers will make it, and reads the answer to its end. Not for `https`, which [`refusal`] refuses.
pub(crate) async fn warm_up(
    published: &Published,
    call: &WarmUp,
    how: &settings::Call,
    timeout: Duration,
) -> Result<(), Error> {
    let path = published.functions.get(&call.function).ok_or_else(|| Error::NoFunction(call.function.clone()))?;
    let base = format!("{}/{}", published.url, path.trim_start_matches('/'));
    let unusable = |problem: String| Error::Request { url: base.clone(), problem };
    let mut url = url::Url::parse(&base).map_err(|error| unusable(error.to_string()))?;
    let (method, body) = match how.method {
        settings::Method::Get => {
            for (name, value) in &call.args {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_string);
                url.query_pairs_mut().append_pair(name, &text);
            }
            (Method::GET, None)
        }
        settings::Method::Post => {
            (Method::POST, Some(serde_json::to_vec(&call.args).map_err(|error| unusable(error.to_string()))?))
        }
    };
    let calling = async {
        let stream = connect(published, &base).await?;
        let answer = exchange(stream, url.as_str(), method, body).await?;
        let status = answer.status();
        Limited::new(answer.into_body(), MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| Error::Answer { url: base.clone(), problem: error.to_string() })?;
        if status.is_success() { Ok(()) } else { Err(Error::Status { url: base.clone(), status: status.as_u16() }) }
    };
    tokio::time::timeout(timeout, calling).await.unwrap_or_else(|_| Err(Error::Timeout { url: base.clone(), timeout }))
}

async fn connect(published: &Published, url: &str) -> Result<TcpStream, Error> {
    match TcpStream::connect((published.host.as_str(), published.port)).await {
        Ok(stream) => Ok(stream),
        Err(source) => {
            let url = url.to_string();
            let loopback = matches!(published.host.as_str(), "127.0.0.1" | "localhost" | "::1");
            if !loopback && TcpStream::connect(("127.0.0.1", published.port)).await.is_ok() {
                Err(Error::LoopbackOnly { url, source })
            } else {
                Err(Error::Connect { url, source })
            }
        }
    }
}

/// One request on one connection; the connection ends with the answer.
async fn exchange(
    stream: TcpStream,
    url: &str,
    method: Method,
    body: Option<Vec<u8>>,
) -> Result<Response<Incoming>, Error> {
    let unusable = |problem: String| Error::Request { url: url.to_string(), problem };
    let failed = |source| Error::Http { url: url.to_string(), source };
    let uri: Uri = url.parse().map_err(|error: hyper::http::uri::InvalidUri| unusable(error.to_string()))?;
    let mut request = Request::builder()
        .method(method)
        .uri(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header("host", uri.authority().map_or("", |authority| authority.as_str()))
        .header("user-agent", "maas-runner")
        .header("connection", "close");
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let request =
        request.body(Full::new(Bytes::from(body.unwrap_or_default()))).map_err(|error| unusable(error.to_string()))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    tokio::spawn(async move {
        // What goes wrong here is told by the request itself.
        let _ended = connection.await;
    });
    sender.send_request(request).await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    const PATIENCE: Duration = Duration::from_millis(500);

    fn published(port: u16) -> Published {
        Published {
            url: format!("http://127.0.0.1:{port}"),
            host: "127.0.0.1".into(),
            port,
            tls: false,
            functions: BTreeMap::from([("apply".into(), "score".into())]),
        }
    }

    /// Answers one connection with `answer` (never when `None`) and gives back what was asked.
    async fn serve(answer: Option<&'static str>) -> (Published, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let length = stream.read(&mut asked).await.unwrap();
            match answer {
                Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                None => std::future::pending().await,
            }
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        (published(port), served)
    }

    const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

    #[tokio::test]
    async fn any_status_counts_unless_a_path_is_named() {
        let (target, _) = serve(Some(NOT_FOUND)).await;
        ask(&target, &Check::Answers, PATIENCE).await.unwrap();
        let (target, asked) = serve(Some(NOT_FOUND)).await;
        let error = ask(&target, &Check::Path("/ping".into()), PATIENCE).await.unwrap_err();
        assert!(error.to_string().ends_with("/ping: status 404"), "{error}");
        assert!(asked.await.unwrap().starts_with("GET /ping HTTP/1.1\r\n"));
        let (target, _) = serve(Some(FINE)).await;
        ask(&target, &Check::Path("/ping".into()), PATIENCE).await.unwrap();
    }

    #[tokio::test]
    async fn a_model_that_accepts_and_says_nothing_is_not_there() {
        let (target, _) = serve(None).await;
        let error = ask(&target, &Check::Answers, Duration::from_millis(50)).await.unwrap_err();
        assert!(error.to_string().ends_with("no answer in 50 ms"), "{error}");
        let (target, _) = serve(None).await;
        ask(&target, &Check::Connects, PATIENCE).await.unwrap();
    }

    #[tokio::test]
    async fn listening_on_loopback_only_is_said() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // Another address of this machine's loopback net: there nobody listens.
        let target = Published { url: format!("http://127.0.0.2:{port}"), host: "127.0.0.2".into(), ..published(port) };
        let error = ask(&target, &Check::Connects, PATIENCE).await.unwrap_err();
        assert!(error.to_string().contains("listens on 127.0.0.1 only"), "{error}");
        drop(listener);
        let error = ask(&target, &Check::Connects, PATIENCE).await.unwrap_err();
        assert!(!error.to_string().contains("only"), "{error}");
    }

    #[test]
    fn what_only_http_can_answer_is_refused_of_https() {
        let https = Published { url: "https://node7:1".into(), tls: true, ..published(1) };
        let settings = |json: &str| serde_json::from_str::<Settings>(json).unwrap();
        for (json, what) in [
            (r#"{"ready":{"http":"/ping"}}"#, "ready.http"),
            (r#"{"live":{"http":"/ping"}}"#, "live.http"),
            (r#"{"warm_up":[{"function":"apply","args":{}}]}"#, "warm_up"),
        ] {
            let why = refusal(&https, &settings(json)).unwrap();
            assert!(why.starts_with("endpoint.dat: https://node7:1 is https") && why.contains(what), "{why}");
            assert_eq!(refusal(&published(1), &settings(json)), None);
        }
        assert_eq!(refusal(&https, &settings(r#"{"ready":{"tcp":true}}"#)), None);
        assert_eq!(refusal(&https, &Settings::default()), None);
    }

    #[tokio::test]
    async fn warm_up_calls_go_to_the_function_with_their_arguments() {
        let call = WarmUp { function: "apply".into(), args: BTreeMap::from([("host".into(), "a b&c".into())]) };
        let (target, asked) = serve(Some(FINE)).await;
        warm_up(&target, &call, &settings::Call::default(), PATIENCE).await.unwrap();
        assert!(asked.await.unwrap().starts_with("GET /score?host=a+b%26c HTTP/1.1\r\n"));
        let how = settings::Call { method: settings::Method::Post, ..settings::Call::default() };
        let (target, asked) = serve(Some(FINE)).await;
        warm_up(&target, &call, &how, PATIENCE).await.unwrap();
        assert!(asked.await.unwrap().starts_with("POST /score HTTP/1.1\r\n"));
        let unknown = WarmUp { function: "other".into(), args: BTreeMap::new() };
        assert!(matches!(warm_up(&target, &unknown, &how, PATIENCE).await, Err(Error::NoFunction(_))));
    }
}
