//! What a run says while it runs: events as JSON, or lines for a person.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use maas_cli::output::Out;
use serde_json::{Value as Json, json};

use super::metrics::{Metrics, Progress};

/// How often progress is an event.
const EVERY: Duration = Duration::from_secs(10);
/// How often a person sees it.
const FOR_PEOPLE: Duration = Duration::from_secs(1);

/// Says things, one way or the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    json: bool,
    terminal: bool,
}

impl Said {
    pub(super) fn new(json: bool) -> Self {
        Self { json, terminal: !json && io::stderr().is_terminal() }
    }

    /// An event, or the line that stands for it.
    pub(super) fn event(self, name: &str, fields: Json, line: &str) {
        if self.json {
            let mut document = json!({ "event": name });
            if let (Some(document), Json::Object(fields)) = (document.as_object_mut(), fields) {
                document.extend(fields);
            }
            // Nothing can be said about a stdout that can't be written to.
            let _ = Out::stdout().json(&document);
        } else {
            let clear = if self.terminal { "\r\x1b[K" } else { "" };
            // Nothing can be said about a stderr that can't be written to.
            let _ = writeln!(io::stderr().lock(), "{clear}{line}");
        }
    }

    /// Tells of progress for as long as it is let.
    pub(super) async fn progress(self, metrics: Arc<Metrics>) {
        if !self.json && !self.terminal {
            return std::future::pending().await;
        }
        let mut before = (Instant::now(), metrics.progress());
        let mut ticks = tokio::time::interval(if self.json { EVERY } else { FOR_PEOPLE });
        ticks.tick().await;
        loop {
            ticks.tick().await;
            let now = (Instant::now(), metrics.progress());
            let rate = rate(before.1, now.1, now.0.duration_since(before.0));
            before = now;
            if self.json {
                self.event("progress", fields(now.1, rate), "");
            } else {
                // Nothing can be said about a stderr that can't be written to.
                let _ = write!(io::stderr().lock(), "\r\x1b[K{}", line(now.1, rate));
            }
        }
    }

    /// The last word.
    pub(super) fn done(self, metrics: &Metrics) {
        let progress = metrics.progress();
        let rate = rate_of(progress.read, metrics.runs_for());
        self.event("done", fields(progress, rate), &format!("done: {}", line(progress, rate)));
    }
}

fn rate(before: Progress, now: Progress, took: Duration) -> u64 {
    rate_of(now.read - before.read, took)
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for people")]
fn rate_of(lines: u64, took: Duration) -> u64 {
    (lines as f64 / took.as_secs_f64().max(1e-3)) as u64
}

fn fields(progress: Progress, rate: u64) -> Json {
    let mut fields = json!(progress);
    fields["per_s"] = rate.into();
    fields
}

fn line(progress: Progress, rate: u64) -> String {
    let Progress { read, written, errors, null_answers, .. } = progress;
    let lag = progress.lag.map(|lag| format!(", {lag} waiting")).unwrap_or_default();
    let nulls = if null_answers == 0 { String::new() } else { format!(", {null_answers} null answers of models") };
    format!("{read} in, {written} out, {errors} errors{nulls}{lag}, {rate}/s")
}
