//! `/api/v1/instances/{id}/logs`: the end of an instance's output, and what follows.
//!
//! Only ids of known instances are asked of the launcher, which alone makes paths of them.

use super::error::Refusal;
use super::instances;
use super::routes::{Checked, Segments};
use super::state::App;
use crate::launcher::RemoteLogs;
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
/// The most that is asked of a cluster's node, bytes.
const REMOTE_BYTES: usize = 1 << 20;
/// How long it may take.
const NODE_ANSWERS: Duration = Duration::from_secs(10);
/// How often a followed file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

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
            return remote(&place, &wanted).await;
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

/// The end of what a node of the cluster has. It is not followed: what a node gives ends.
async fn remote(place: &RemoteLogs, wanted: &Wanted) -> Result<Response, Refusal> {
    if wanted.follow {
        return Err(Refusal::new(
            ErrorCode::BadRequest,
            "the output of a container can't be followed; leave follow out",
        ));
    }
    let path = match wanted.stream {
        Stream::Stdout => &place.stdout,
        Stream::Stderr => &place.stderr,
    };
    let asked = crate::service::fetch(&place.node, &format!("{path}?size=-{REMOTE_BYTES}"), NODE_ANSWERS).await;
    let bytes = asked.map_err(|why| {
        let detail = format!("{} does not give it: {why}; yarn logs has it after the application's end", place.node);
        Refusal::new(ErrorCode::NoLogs, detail)
    })?;
    let lines: Vec<&[u8]> = unwrapped(&bytes).split_inclusive(|byte| *byte == b'\n').collect();
    let skipped = lines.len().saturating_sub(wanted.tail.unwrap_or(USUAL_LINES));
    Ok(plain(Body::from(lines.get(skipped..).unwrap_or_default().concat())))
}

/// What a NodeManager puts around a log is no part of it.
fn unwrapped(answer: &[u8]) -> &[u8] {
    const BEGIN: &[u8] = b"\nLogContents:\n";
    const END: &[u8] = b"\nEnd of LogType:";
    let mut windows = answer.windows(BEGIN.len());
    let Some(begin) = windows.position(|window| window == BEGIN).map(|at| at + BEGIN.len()) else { return answer };
    let rest = answer.get(begin..).unwrap_or_default();
    let end = rest.windows(END.len()).rposition(|window| window == END).unwrap_or(rest.len());
    // The last line's own end goes before its mark.
    rest.get(..(end + 1).min(rest.len())).unwrap_or_default()
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

/// Whether nothing more will come: the record is gone, or its death is proved.
fn has_ended(app: &App, id: &str) -> bool {
    let view = app.view();
    match view.observed.instances.get(id) {
        Some(instance) => instance.state().0.is_ended(),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_puts_around_a_log_is_taken_off() {
        let said = "Container: c on n:1\nLogType:stdout\nLogLength:31\nLogContents:\none\ntwo\nEnd of LogType:stdout.This log file\n***\n";
        assert_eq!(unwrapped(said.as_bytes()), b"one\ntwo\n");
        assert_eq!(unwrapped(b"one\ntwo"), b"one\ntwo");
        assert_eq!(unwrapped(b"LogType:x\nLogContents:\none"), b"one");
    }
}
