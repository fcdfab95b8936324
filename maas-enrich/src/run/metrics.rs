//! What the pipeline counts, and how that is shown: Prometheus text, and the numbers of progress.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Serialize;

use super::models::Calls;
use crate::pipeline::Stage;

/// Upper bounds of the buckets of times, in seconds.
const BUCKETS: [f64; 9] = [0.000_01, 0.000_1, 0.001, 0.005, 0.01, 0.05, 0.1, 1.0, 10.0];
/// Stages, and writing.
const KINDS: usize = Stage::ALL.len() + 1;
const SINK: usize = Stage::ALL.len();

#[derive(Debug, Default)]
struct Kind {
    ok: AtomicU64,
    failed: AtomicU64,
    nanoseconds: AtomicU64,
    buckets: [AtomicU64; BUCKETS.len()],
}

/// The counters of one run.
#[derive(Debug)]
pub struct Metrics {
    sensor: String,
    started: Instant,
    read: AtomicU64,
    dropped: AtomicU64,
    put_aside: AtomicU64,
    kinds: [Kind; KINDS],
    refused_configurations: AtomicU64,
    /// Which was refused last, and why.
    last_refusal: Mutex<String>,
    /// Why a changed configuration waits to be taken.
    waiting_configuration: Mutex<Option<String>>,
    /// By worker.
    lag: Mutex<BTreeMap<usize, Vec<(i32, i64)>>>,
    /// Calls of models.
    pub calls: Calls,
    last_seen: AtomicI64,
}

/// The numbers of progress.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
pub struct Progress {
    /// Lines read.
    #[serde(rename = "in")]
    pub read: u64,
    /// Documents written.
    #[serde(rename = "out")]
    pub written: u64,
    /// Error records.
    pub errors: u64,
    /// Lines that the filter dropped, or that are comments.
    pub dropped: u64,
    /// Model calls that gave null.
    pub null_answers: u64,
    /// Lines that wait in the source, as far as it is known.
    pub lag: Option<i64>,
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new(sensor: &str) -> Self {
        Self {
            sensor: sensor.to_owned(),
            started: Instant::now(),
            read: AtomicU64::default(),
            dropped: AtomicU64::default(),
            put_aside: AtomicU64::default(),
            kinds: Default::default(),
            refused_configurations: AtomicU64::default(),
            last_refusal: Mutex::default(),
            waiting_configuration: Mutex::default(),
            lag: Mutex::default(),
            calls: Calls::default(),
            last_seen: AtomicI64::default(),
        }
    }

    pub(super) fn read(&self, lines: usize) {
        self.read.fetch_add(lines as u64, Relaxed);
        self.last_seen.store(jiff::Timestamp::now().as_millisecond(), Relaxed);
    }

    pub(super) fn dropped(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    pub(super) fn put_aside(&self, lines: usize) {
        self.put_aside.fetch_add(lines as u64, Relaxed);
    }

    pub(super) fn stage(&self, stage: Stage, took: Duration) {
        self.kinds[stage as usize].done(1, took);
    }

    pub(super) fn failed(&self, stage: Stage) {
        self.kinds[stage as usize].failed.fetch_add(1, Relaxed);
    }

    pub(super) fn wrote(&self, documents: usize, refused: usize, took: Duration) {
        self.kinds[SINK].done(documents as u64, took);
        self.kinds[SINK].failed.fetch_add(refused as u64, Relaxed);
    }

    pub(super) fn config_refused(&self, refusal: String) {
        *self.last_refusal.lock() = refusal;
        self.refused_configurations.fetch_add(1, Relaxed);
    }

    /// A changed configuration waits for something, or none does.
    pub(super) fn config_waits(&self, reason: Option<String>) {
        *self.waiting_configuration.lock() = reason;
    }

    pub(super) fn waiting_configuration(&self) -> Option<String> {
        self.waiting_configuration.lock().clone()
    }

    /// What waits for a worker, by partition; none once it waits for nothing more.
    pub(super) fn set_lag(&self, worker: usize, lag: &[(i32, i64)]) {
        let mut workers = self.lag.lock();
        let kept = workers.entry(worker).or_default();
        kept.clear();
        kept.extend_from_slice(lag);
    }

    /// What waits, by partition. One that goes from one worker to another is told by both for a moment.
    pub(super) fn lag(&self) -> BTreeMap<i32, i64> {
        let mut all = BTreeMap::new();
        for (partition, lines) in self.lag.lock().values().flatten() {
            let lag: &mut i64 = all.entry(*partition).or_default();
            *lag = (*lag).max(*lines);
        }
        all
    }

    pub(super) fn put_aside_so_far(&self) -> u64 {
        self.put_aside.load(Relaxed)
    }

    pub(super) fn last_refusal(&self) -> String {
        self.last_refusal.lock().clone()
    }

    pub(super) fn refused_so_far(&self) -> u64 {
        self.refused_configurations.load(Relaxed)
    }

    /// How long it has run.
    pub fn runs_for(&self) -> Duration {
        self.started.elapsed()
    }

    /// The numbers as they stand.
    pub fn progress(&self) -> Progress {
        let lag = self.lag();
        Progress {
            read: self.read.load(Relaxed),
            written: self.kinds[SINK].ok.load(Relaxed),
            errors: self.kinds.iter().map(|kind| kind.failed.load(Relaxed)).sum(),
            dropped: self.dropped.load(Relaxed),
            null_answers: self.calls.null_answers(),
            lag: (!lag.is_empty()).then(|| lag.values().sum()),
        }
    }

    /// When the last line was read, milliseconds since 1970; none before the first.
    pub fn last_seen(&self) -> Option<i64> {
        Some(self.last_seen.load(Relaxed)).filter(|millis| *millis > 0)
    }

    /// Each stage, and writing: name, done, failed, mean time in microseconds.
    pub fn stages(&self) -> impl Iterator<Item = (&'static str, u64, u64, f64)> {
        self.kinds.iter().enumerate().map(|(index, kind)| {
            let (ok, nanoseconds) = (kind.ok.load(Relaxed), kind.nanoseconds.load(Relaxed));
            let mean = if ok == 0 { 0.0 } else { float(nanoseconds) / float(ok) / 1e3 };
            (name(index), ok, kind.failed.load(Relaxed), mean)
        })
    }

    /// All of it in the text form of Prometheus.
    pub fn prometheus(&self) -> String {
        let mut out = String::new();
        let sensor = label(&self.sensor);
        // Writing to a String can't fail.
        let _ = self.write(&sensor, &mut out);
        self.calls.prometheus(&mut out);
        out
    }

    fn write(&self, sensor: &str, out: &mut String) -> std::fmt::Result {
        writeln!(out, "# HELP enrich_events_total Events by stage and result.\n# TYPE enrich_events_total counter")?;
        let mut event = |stage: &str, result: &str, count: u64| {
            writeln!(out, "enrich_events_total{{sensor=\"{sensor}\",stage=\"{stage}\",result=\"{result}\"}} {count}")
        };
        event("source", "ok", self.read.load(Relaxed))?;
        event("validate", "dropped", self.dropped.load(Relaxed))?;
        event("retry", "ok", self.put_aside.load(Relaxed))?;
        for (index, kind) in self.kinds.iter().enumerate() {
            event(name(index), "ok", kind.ok.load(Relaxed))?;
            event(name(index), "error", kind.failed.load(Relaxed))?;
        }
        writeln!(out, "# HELP enrich_stage_seconds How long a stage takes.\n# TYPE enrich_stage_seconds histogram")?;
        for (index, kind) in self.kinds.iter().enumerate() {
            let labels = format!("sensor=\"{sensor}\",stage=\"{}\"", name(index));
            let mut count = 0;
            for (bound, bucket) in BUCKETS.iter().zip(&kind.buckets) {
                count += bucket.load(Relaxed);
                writeln!(out, "enrich_stage_seconds_bucket{{{labels},le=\"{bound}\"}} {count}")?;
            }
            let all = kind.ok.load(Relaxed);
            writeln!(out, "enrich_stage_seconds_bucket{{{labels},le=\"+Inf\"}} {all}")?;
            writeln!(out, "enrich_stage_seconds_sum{{{labels}}} {}", float(kind.nanoseconds.load(Relaxed)) / 1e9)?;
            writeln!(out, "enrich_stage_seconds_count{{{labels}}} {all}")?;
        }
        writeln!(out, "# HELP enrich_lag Lines that wait in the source.\n# TYPE enrich_lag gauge")?;
        for (partition, lines) in self.lag() {
            writeln!(out, "enrich_lag{{sensor=\"{sensor}\",partition=\"{partition}\"}} {lines}")?;
        }
        let refused = self.refused_configurations.load(Relaxed);
        writeln!(out, "# HELP enrich_config_refused_total Changed configurations that were refused.")?;
        writeln!(out, "# TYPE enrich_config_refused_total counter")?;
        writeln!(out, "enrich_config_refused_total{{sensor=\"{sensor}\"}} {refused}")
    }
}

impl Kind {
    fn done(&self, events: u64, took: Duration) {
        self.ok.fetch_add(events, Relaxed);
        self.nanoseconds.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        let seconds = took.as_secs_f64();
        if let Some(bucket) = BUCKETS.iter().position(|bound| seconds <= *bound) {
            self.buckets[bucket].fetch_add(events, Relaxed);
        }
    }
}

fn name(index: usize) -> &'static str {
    Stage::ALL.get(index).map_or("sink", |stage| stage.as_str())
}

/// A label's value, escaped.
pub(super) fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[expect(clippy::cast_precision_loss, reason = "for people and for sums of nanoseconds")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_shown_by_stage() {
        let metrics = Metrics::new("a\"b");
        metrics.read(3);
        metrics.stage(Stage::Parse, Duration::from_micros(50));
        metrics.failed(Stage::Transform);
        metrics.set_lag(0, &[(0, 4), (1, 5)]);
        metrics.set_lag(1, &[(1, 3)]);
        let text = metrics.prometheus();
        assert!(text.contains(r#"enrich_events_total{sensor="a\"b",stage="parse",result="ok"} 1"#), "{text}");
        assert!(text.contains(r#"enrich_stage_seconds_bucket{sensor="a\"b",stage="parse",le="0.0001"} 1"#), "{text}");
        assert!(text.contains(r#"enrich_lag{sensor="a\"b",partition="1"} 5"#), "{text}");
        let progress = metrics.progress();
        assert_eq!((progress.read, progress.errors, progress.lag), (3, 1, Some(9)));
    }
}
