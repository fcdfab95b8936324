//! `maas_enrich` as a process: started with the squid configuration, asked how far it is, and measured between two points.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A configuration directory.
pub(crate) fn configure(with_model: bool, cache: bool) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/squid/config");
    let text = |name: &str| std::fs::read_to_string(example.join(name)).expect("the example can be read");
    // Changed as a text: the order of its keys is the order of evaluation.
    let mut parser = text("parsers/squid.json");
    if !with_model {
        parser = parser.replace(r#", "is_malicious", "is_alert"]"#, "]");
        parser = parser.replace(r#"(full_hostname)","#, r#"(full_hostname)""#);
        let is_asking = |line: &&str| line.contains("\"is_malicious\":") || line.contains("\"is_alert\":");
        parser = parser.lines().filter(|line| !is_asking(line)).collect();
    }
    let global = if cache { "{}" } else { r#"{"stellar.maas.settings":{"cache.ttl.ms":0}}"# };
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file has a directory")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    };
    write("global.json", global);
    write("parsers/squid.json", &parser);
    if with_model {
        write("enrichments/squid.json", &text("enrichments/squid.json"));
    }
    directory
}

/// A run.
pub(crate) struct Running {
    pub(crate) child: Child,
    status: String,
    client: reqwest::Client,
}

/// How far a run is, and what it has taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) at: Instant,
    pub(crate) events: f64,
    pub(crate) nulls: f64,
    pub(crate) cpu: f64,
    pub(crate) resident: f64,
}

impl Point {
    /// Events per second since another point.
    pub(crate) fn rate_since(&self, before: &Point) -> f64 {
        (self.events - before.events) / (self.at - before.at).as_secs_f64()
    }

    /// Events per second that a processor was busy.
    pub(crate) fn rate_per_core_since(&self, before: &Point) -> f64 {
        (self.events - before.events) / (self.cpu - before.cpu)
    }
}

impl Running {
    /// Starts it with a null sink.
    pub(crate) async fn start(source: &str, config: &Path, options: &[&str]) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_maas_enrich"))
            .args([
                "run",
                "-s",
                "squid",
                "--json",
                "--sink",
                "null",
                "--http",
                "127.0.0.1:0",
                "--source",
                source,
                "--config",
            ])
            .arg(config)
            .args(options)
            .env_remove("MAAS_ZK")
            .env("HOME", "/nonexistent")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let first = lines.next_line().await.expect("a line").expect("an event");
        let ready: Json = serde_json::from_str(&first).expect("JSON");
        let status = format!("{}/status", ready["http"].as_str().expect("pages"));
        // What it says later is of no interest, but must be read.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Running { child, status, client: reqwest::Client::new() }
    }

    /// Where it is now; none when it has ended.
    pub(crate) async fn point(&self) -> Option<Point> {
        let answer = self.client.get(&self.status).send().await.ok()?.text().await.ok()?;
        let status: Json = serde_json::from_str(&answer).ok()?;
        let number = |name: &str| status["progress"][name].as_f64().unwrap_or(0.0);
        let pid = self.child.id()?;
        let text = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).ok();
        let stat = text("stat")?;
        let ticks: f64 =
            stat.rsplit(") ").next()?.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
        let resident = text("status")?
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())?;
        let events = number("out") + number("errors");
        Some(Point { at: Instant::now(), events, nulls: number("null_answers"), cpu: ticks / 100.0, resident })
    }

    /// Waits until so many events have come out.
    pub(crate) async fn reached(&self, events: f64) -> Point {
        let start = Instant::now();
        loop {
            let point = self.point().await.expect("it runs");
            if point.events >= events {
                return point;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "it stays at {} of {events} events", point.events);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Two points: after a tenth of so many events, and near their end.
    pub(crate) async fn measure(&self, events: f64) -> (Point, Point) {
        (self.reached(events * 0.1).await, self.reached(events * 0.9).await)
    }
}
