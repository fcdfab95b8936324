//! `/api/v1/instances/{id}/logs`: the end of an instance's output, and what follows.
//!
//! Only ids of known instances are asked of the launcher, which alone makes paths of them.

use super::error::Refusal;
use super::instances;
use super::node_logs::NodeFile;
use super::routes::{Checked, Segments};
use super::state::App;
use crate::tail::{self, Follower};
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use maas_cli::ErrorCode;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Lines given unless more are asked for.
const USUAL_LINES: usize = 200;
/// How often a followed file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often a cluster's node is asked for more; and how often in a row it may fail to answer.
const ASK_EVERY: Duration = Duration::from_millis(500);
const ASK_AGAIN: u32 = 60;

/// Which stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stream {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
}

/// What of it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    stream: Stream,
    tail: Option<usize>,
    #[serde(default, deserialize_with = "flag")]
    follow: bool,
}

/// `follow`, `follow=`, `follow=1` and `follow=true` all mean yes.
fn flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "" | "1" | "true" | "yes" => Ok(true),
        "0" | "false" | "no" => Ok(false),
        other => Err(serde::de::Error::custom(format!("{other:?} is neither true nor false"))),
    }
}

pub(super) async fn logs(
    State(app): State<App>,
    Segments(id): Segments<String>,
    Checked(wanted): Checked<Wanted>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let peer = peer.map(|axum::Extension(ConnectInfo(address))| address.ip());
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    // HTTP/2 says in the url what HTTP/1 says in a header. A header that is no text is no name of ours.
    let in_headers = headers.get_all(header::HOST).iter().map(|value| value.to_str().unwrap_or_default());
    let hosts: Vec<&str> = in_headers.chain(uri.authority().map(Authority::as_str)).collect();
    app.may_read_logs(peer, &hosts, authorization)?;

    let instance = instances::find(&app, &id).await?;
    let view = app.handle().view();
    let record = view.observed.instances.get(&instance.id).map(|instance| &instance.record);
    let Some(files) = app.handle().launcher().logs(&instance.id, record) else {
        if let Some(place) = app.handle().launcher().remote_logs(&instance.id) {
            let path = match wanted.stream {
                Stream::Stdout => &place.stdout,
                Stream::Stderr => &place.stderr,
            };
            let lines = wanted.tail.unwrap_or(USUAL_LINES);
            let (first, file) = NodeFile::open(&place.node, path, lines).await?;
            return Ok(plain(if wanted.follow {
                follow_node(app, instance.id, first, file)
            } else {
                Body::from(first)
            }));
        }
        let detail = match instance.host.as_str() {
            "" => format!("{} waits for its place; nothing was started", instance.id),
            host => format!("the output of {} is not on this machine; it ran on {host}", instance.id),
        };
        return Err(Refusal::new(ErrorCode::NoLogs, detail));
    };
    let path = match wanted.stream {
        Stream::Stdout => files.stdout,
        Stream::Stderr => files.stderr,
    };
    let lines = wanted.tail.unwrap_or(USUAL_LINES);
    let (first, follower) = read_end(path, lines).await?;
    if first.is_empty() && follower.is_missing() && instance.state.is_ended() {
        let detail = format!("the output of {} is not kept any more", instance.id);
        return Err(Refusal::new(ErrorCode::NoLogs, detail));
    }
    Ok(plain(if wanted.follow { follow(app, instance.id, first, follower) } else { Body::from(first) }))
}

fn plain(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

async fn read_end(path: PathBuf, lines: usize) -> Result<(Bytes, Follower), Refusal> {
    let read = tokio::task::spawn_blocking(move || tail::last_lines(&path, lines)).await;
    match read {
        Ok(Ok((text, follower))) => Ok((Bytes::from(text), follower)),
        Ok(Err(error)) => Err(Refusal::new(ErrorCode::Defect, format!("can't read the log: {error}"))),
        Err(error) => Err(Refusal::new(ErrorCode::Defect, format!("can't read the log: {error}"))),
    }
}

struct Following {
    app: App,
    id: String,
    first: Option<Bytes>,
    /// `None` while a blocking read has it, and after it failed.
    follower: Option<Follower>,
}

/// The text so far, then what is appended, until the instance is gone and all of it was given.
fn follow(app: App, id: String, first: Bytes, follower: Follower) -> Body {
    let start = Following { app, id, first: Some(first), follower: Some(follower) };
    Body::from_stream(stream::unfold(start, |mut state| async move {
        if let Some(first) = state.first.take().filter(|first| !first.is_empty()) {
            return Some((Ok::<_, std::io::Error>(first), state));
        }
        loop {
            // Asked before reading: what it wrote before it ended is given too.
            let ended = has_ended(&state.app, &state.id);
            let mut follower = state.follower.take()?;
            let read = tokio::task::spawn_blocking(move || follower.read().map(|text| (text, follower))).await;
            match read {
                Ok(Ok((text, follower))) => {
                    state.follower = Some(follower);
                    if !text.is_empty() {
                        return Some((Ok(Bytes::from(text)), state));
                    }
                }
                Ok(Err(error)) => return Some((Err(error), state)),
                Err(_) => return None,
            }
            if ended {
                return None;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }))
}

struct FollowingNode {
    app: App,
    id: String,
    first: Option<Bytes>,
    file: NodeFile,
}

/// The same for what a cluster's node has.
fn follow_node(app: App, id: String, first: Bytes, file: NodeFile) -> Body {
    let start = FollowingNode { app, id, first: Some(first), file };
    Body::from_stream(stream::unfold(start, |mut state| async move {
        if let Some(first) = state.first.take().filter(|first| !first.is_empty()) {
            return Some((Ok::<_, std::io::Error>(first), state));
        }
        let mut failures = 0;
        loop {
            // Asked before reading: what it wrote before it ended is given too.
            let ended = has_ended(&state.app, &state.id);
            match state.file.more().await {
                Ok(text) if !text.is_empty() => return Some((Ok(text), state)),
                Ok(_) => failures = 0,
                // A node may be about to come back.
                Err(_) if failures < ASK_AGAIN => failures += 1,
                Err(why) => return Some((Err(std::io::Error::other(why)), state)),
            }
            if ended {
                return None;
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }))
}

/// Whether nothing more will come: the record is gone, or its death is proved.
fn has_ended(app: &App, id: &str) -> bool {
    let view = app.view();
    match view.observed.instances.get(id) {
        Some(instance) => instance.state().0.is_ended(),
        None => true,
    }
}
