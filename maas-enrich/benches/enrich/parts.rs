//! What is measured, part by part.

use std::io::Write;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncWriteExt;

use super::lines::{Hosts, line, rate, result};
use super::model::Model;
use super::program::{Point, Running, configure};
use super::topic::{brokers, filled, plain};

/// Lines of a run.
const LINES: u64 = 300_000;
/// Lines of a run in which each asks the model.
const ASKING: u64 = 60_000;
/// How long the pipeline stands still.
const STALL: Duration = Duration::from_secs(60);
/// Over how many events memory is watched, unless `MAAS_BENCH_EVENTS` says another number, and how much more may be resident at the end, KiB.
const WATCHED: u64 = 10_000_000;
const GROWTH: f64 = 8.0 * 1024.0;

fn log(lines: u64, hosts: Hosts) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let mut writer = std::io::BufWriter::new(file.as_file_mut());
    for number in 0..lines {
        writeln!(writer, "{}", line(number, hosts)).expect("room on the disk");
    }
    drop(writer);
    file
}

/// From a file, without a model; the file is followed, so that the program is there to be asked at its end.
pub(crate) async fn file() {
    let (log, config) = (log(LINES, Hosts::Few), configure(false, true));
    let running = Running::start(&format!("file:{}", log.path().display()), config.path(), &[]).await;
    let (first, last) = running.measure(LINES as f64).await;
    let per_core = last.rate_per_core_since(&first);
    result("enrich_file_core", &rate(per_core), "-", "-", ">=50000/s", per_core >= 50_000.0);
    result("enrich_file", &rate(last.rate_since(&first)), "-", "-", "-", true);
}

/// From Kafka: a plain loop, the pipeline without a model, and with one whose answers are mostly cached.
pub(crate) async fn kafka(cached: bool) {
    let topic = filled(LINES, Hosts::MostlyFew).await;
    let source = format!("kafka://{}/{topic}", brokers());
    let bare = plain(&topic, LINES).await;
    let config = configure(false, true);
    let running = Running::start(&source, config.path(), &["--group", "without"]).await;
    let (first, last) = running.measure(LINES as f64).await;
    let without = last.rate_since(&first);
    drop(running);
    result("enrich_kafka", &rate(without), "-", "-", ">=25000/s", without >= 25_000.0);
    result("enrich_kafka_plain", &rate(without), &rate(bare), &format!("{:.2}", without / bare), "-", true);
    if !cached {
        return;
    }
    let (model, config) = (Model::fast().await, configure(true, true));
    let running = Running::start(&source, config.path(), &["--group", "with", "-z", &model.zookeeper]).await;
    let (first, last) = running.measure(LINES as f64).await;
    assert_eq!(last.nulls, 0.0, "the model answers");
    let with = last.rate_since(&first);
    result(
        "enrich_cached_90",
        &rate(with),
        &rate(without),
        &format!("{:.2}", with / without),
        ">=0.8",
        with / without >= 0.8,
    );
}

/// Each event asks the model; beside it a bare client that does nothing else. The example's model is as fast as Python is; the other measures us alone.
pub(crate) async fn uncached() {
    asking("enrich_uncached", &Model::example().await, ASKING / 6).await;
    asking("enrich_uncached_fast", &Model::fast().await, ASKING).await;
}

async fn asking(name: &str, model: &Model, lines: u64) {
    let (log, config) = (log(lines, Hosts::AllDifferent), configure(true, false));
    let questions = (lines * 2 / 3) as usize;
    let bare = model.bare(questions).await;
    let source = format!("file:{}", log.path().display());
    let running = Running::start(&source, config.path(), &["-z", &model.zookeeper]).await;
    let (first, last) = running.measure(lines as f64).await;
    assert_eq!(last.nulls, 0.0, "the model answers");
    drop(running);
    let bare = f64::midpoint(bare, model.bare(questions).await);
    let ours = last.rate_since(&first);
    result(name, &rate(ours), &rate(bare), &format!("{:.2}", ours / bare), ">=0.8", ours / bare >= 0.8);
}

/// The pipeline stands still, longer than its group waits for it, and then works off what has gathered.
pub(crate) async fn stall() {
    let topic = filled(LINES * 2, Hosts::Few).await;
    let config = configure(false, true);
    let running = Running::start(&format!("kafka://{}/{topic}", brokers()), config.path(), &[]).await;
    let (first, before) = (running.reached(20_000.0).await, running.reached(LINES as f64).await);
    let pid = running.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).expect("it runs");
    kill_process(pid, Signal::STOP).expect("it can be stopped");
    tokio::time::sleep(STALL).await;
    kill_process(pid, Signal::CONT).expect("it can go on");
    let resumed = running.reached(before.events + 10_000.0).await;
    let after = running.reached(LINES as f64 * 1.9).await;
    let (full, worked_off) = (before.rate_since(&first), after.rate_since(&resumed));
    let ratio = worked_off / full;
    result("enrich_after_stall", &rate(worked_off), &rate(full), &format!("{ratio:.2}"), ">=0.9", ratio >= 0.9);
}

/// Memory over many events, each unlike the others: at the end as after the first tenth.
pub(crate) async fn memory() {
    const PORTION: u64 = 500;
    let given = std::env::var("MAAS_BENCH_EVENTS").ok().and_then(|number| number.parse().ok());
    let events: u64 = given.unwrap_or(WATCHED);
    let config = configure(false, true);
    let mut running = Running::start("-", config.path(), &[]).await;
    let mut input = running.child.stdin.take().expect("a pipe");
    let feeding = tokio::spawn(async move {
        for first in (0..events).step_by(PORTION as usize) {
            let portion = first..(first + PORTION).min(events);
            let lines: String = portion.map(|number| line(number, Hosts::AllDifferent) + "\n").collect();
            input.write_all(lines.as_bytes()).await.expect("it reads");
        }
        // The pipe stays open until the numbers are read.
        input
    });
    let first = running.reached(events as f64 * 0.1).await;
    let _input = feeding.await.expect("it is fed");
    let last: Point = running.reached(events as f64).await;
    let mib = |kib: f64| format!("{:.1}MiB", kib / 1024.0);
    let ratio = format!("{:.2}", last.resident / first.resident);
    let grown = last.resident - first.resident;
    result("enrich_resident", &mib(last.resident), &mib(first.resident), &ratio, "<=+8MiB", grown <= GROWTH);
    result("enrich_resident_events", &format!("{events}"), "-", "-", "-", true);
}
