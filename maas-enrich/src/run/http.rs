//! `--http`: metrics, whether it is alive, and a page for people. All read-only.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse};
use axum::{Json, Router, routing::get};
use maas_cli::{ErrorCode, Failure};
use serde_json::json;
use tokio::net::TcpListener;

use super::metrics::Metrics;

/// What the pages tell.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) metrics: Arc<Metrics>,
    pub(super) sensor: String,
    pub(super) source: String,
    pub(super) sink: String,
}

/// Listens, and serves for as long as the program runs. Gives the address, whose port may have been chosen.
pub(super) async fn serve(address: SocketAddr, shown: Shown) -> Result<SocketAddr, Failure> {
    let cant = |error: std::io::Error| {
        Failure::new(ErrorCode::Usage, format!("--http {address} can't be listened on")).because(&error)
    };
    let listener = TcpListener::bind(address).await.map_err(cant)?;
    let bound = listener.local_addr().map_err(cant)?;
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(async || "alive\n"))
        .route("/status", get(status))
        .route("/", get(page))
        .with_state(Arc::new(shown));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::warn!(%error, "the pages are no longer served");
        }
    });
    Ok(bound)
}

async fn metrics(State(shown): State<Arc<Shown>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], shown.metrics.prometheus())
}

async fn status(State(shown): State<Arc<Shown>>) -> impl IntoResponse {
    let stages: Vec<_> = shown
        .metrics
        .stages()
        .map(|(stage, ok, errors, mean)| json!({"stage": stage, "ok": ok, "errors": errors, "mean_us": mean}))
        .collect();
    Json(json!({
        "sensor": shown.sensor,
        "source": shown.source,
        "sink": shown.sink,
        "up_s": shown.metrics.runs_for().as_secs(),
        "progress": shown.metrics.progress(),
        "lag": shown.metrics.lag(),
        "put_aside": shown.metrics.put_aside_so_far(),
        "refused_configurations": shown.metrics.refused_so_far(),
        "waiting_configuration": shown.metrics.waiting_configuration(),
        "stages": stages,
    }))
}

async fn page(State(shown): State<Arc<Shown>>) -> Html<String> {
    let progress = shown.metrics.progress();
    let mut out = String::new();
    // Writing to a String can't fail.
    let _ = write!(
        out,
        "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=2><title>{sensor}</title>\
         <style>body{{font:15px system-ui;margin:2rem;max-width:60rem}}table{{border-collapse:collapse;margin:1rem 0}}\
         td,th{{padding:.25rem 1rem .25rem 0;text-align:left}}td+td{{text-align:right}}</style>\
         <h1>{sensor}</h1><p>{source} &rarr; {sink}, for {up} s</p>\
         <p>{read} in, {written} out, {errors} errors, {dropped} dropped, {nulls} null answers of models{lag}</p>\
         <table><tr><th>stage<th>done<th>errors<th>mean &micro;s",
        sensor = escaped(&shown.sensor),
        source = escaped(&shown.source),
        sink = escaped(&shown.sink),
        up = shown.metrics.runs_for().as_secs(),
        read = progress.read,
        written = progress.written,
        errors = progress.errors,
        dropped = progress.dropped,
        nulls = progress.null_answers,
        lag = rest(&shown.metrics),
    );
    for (stage, ok, errors, mean) in shown.metrics.stages() {
        let _ = write!(out, "<tr><td>{stage}<td>{ok}<td>{errors}<td>{mean:.1}");
    }
    out.push_str("</table><table><tr><th>model<th>version<th>outcome<th>calls");
    for ((name, version, outcome), count) in shown.metrics.calls.by_outcome() {
        let name = if name.is_empty() { "(none named)".to_owned() } else { escaped(&name) };
        let _ = write!(out, "<tr><td>{name}<td>{}<td>{outcome}<td>{count}", escaped(&version));
    }
    let lag = shown.metrics.lag();
    if !lag.is_empty() {
        out.push_str("</table><table><tr><th>partition<th>waiting");
    }
    for (partition, lines) in lag {
        let _ = write!(out, "<tr><td>{partition}<td>{lines}");
    }
    out.push_str("</table><p><a href=/metrics>metrics</a> <a href=/status>status as JSON</a></html>");
    Html(out)
}

/// What is worth a word only where there is any.
fn rest(metrics: &Metrics) -> String {
    let waiting = metrics.progress().lag.map(|lag| format!(", {lag} waiting")).unwrap_or_default();
    let aside = match metrics.put_aside_so_far() {
        0 => String::new(),
        lines => format!(", {lines} put aside to be read again"),
    };
    let refused = match metrics.refused_so_far() {
        0 => String::new(),
        1 => format!("<p>a changed configuration was refused: {}", escaped(&metrics.last_refusal())),
        times => {
            format!("<p>{times} changed configurations were refused, the last: {}", escaped(&metrics.last_refusal()))
        }
    };
    let waits = metrics.waiting_configuration().map_or_else(String::new, |reason| {
        format!("<p>a changed configuration waits and is tried again: {}", escaped(&reason))
    });
    waiting + &aside + &refused + &waits
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
