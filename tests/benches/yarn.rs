//! `yarn`: models on YARN beside Hadoop's own distributed shell, on the same cluster in the same run.
//!
//! - `yarn_running`: from the start of `maas_service --on yarn` until YARN says that its master runs.
//! - `yarn_callable`: from the start of `maas_deploy -mo ADD` until the model's url gives a good answer.
//! - `yarn_first_call`: both, one after the other.
//! - `yarn_reports_N`: calls of getApplicationReport a second by N callers on one connection, beside Hadoop's Java client.
//! - `yarn_memory`: what the master has in memory with its model running, beside the distributed shell's master.
//!
//! The shell's time runs from its submission to the first line of its container: the start of its client, a JVM, is not
//! counted, but in the baseline of `yarn_first_call`.

#[path = "../tests/yarn/application.rs"]
#[expect(dead_code, reason = "the scenarios ask more of it")]
mod application;
#[path = "../tests/yarn/cluster.rs"]
#[expect(dead_code, reason = "the scenarios ask more of it")]
mod cluster;
mod support;

use anyhow::{Context, Result, ensure};
use application::Application;
use cluster::Cluster;
use hadoop_yarn::client::ResourceManager;
use hadoop_yarn::types::{ApplicationFilter, ApplicationId};
use integration_tests::{Site, get, repository};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const ROUNDS: usize = 3;
/// Before calls are counted, and while they are.
const CALLS: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(4));
/// Longest that anything may take.
const BOUND: Duration = Duration::from_secs(60);

/// One round of ours.
struct Ours {
    running: Duration,
    callable: Duration,
    memory_kb: u64,
}

/// One run of the distributed shell.
struct Shell {
    from_submission: Duration,
    from_start: Duration,
    memory_kb: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    // The first round warms the servers.
    let (mut ours, mut shells) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (one, other) = (one_of_ours().await?, one_of_the_shell().await?);
        if round > 0 {
            ours.push(one);
            shells.push(other);
        }
    }
    let shell = median(shells.iter().map(|one| one.from_submission));
    against("yarn_running", median(ours.iter().map(|one| one.running)), shell);
    against("yarn_callable", median(ours.iter().map(|one| one.callable)), shell);
    let both = median(ours.iter().map(|one| one.running + one.callable));
    against("yarn_first_call", both, median(shells.iter().map(|one| one.from_start)));
    reports().await?;
    let (memory, baseline) =
        (median(ours.iter().map(|one| one.memory_kb)), median(shells.iter().map(|one| one.memory_kb)));
    let mb = |kb: u64| format!("{:.1}MB", u32::try_from(kb).map(f64::from).unwrap_or_default() / 1024.0);
    let ratio = format!("{:.2}", of(memory) / of(baseline));
    support::line("yarn_memory", &mb(memory), &mb(baseline), &ratio, "<=40MB", memory <= 40 << 10);
    Ok(())
}

fn of(number: u64) -> f64 {
    u32::try_from(number).map(f64::from).unwrap_or(f64::INFINITY)
}

fn against(name: &str, measured: Duration, baseline: Duration) {
    let ratio = measured.as_secs_f64() / baseline.as_secs_f64();
    let ms = |time: Duration| format!("{}ms", time.as_millis());
    support::line(name, &ms(measured), &ms(baseline), &format!("{ratio:.2}"), "<=0.5", ratio <= 0.5);
}

/// The middle one.
fn median<T: Ord + Copy>(all: impl Iterator<Item = T>) -> T {
    let mut all: Vec<T> = all.collect();
    all.sort();
    all[all.len() / 2]
}

async fn one_of_ours() -> Result<Ours> {
    let (cluster, site) = (Cluster::shared().await?, Site::new().await?);
    let begun = Instant::now();
    let mut application = Application::submit(cluster, site).await?;
    let running = begun.elapsed();
    let master = application.leads(1).await?;
    let begun = Instant::now();
    application.add("dga", 1, 256).await?;
    let callable = loop {
        if let Some(one) = application.site.registered("dga").await?.first() {
            let (status, body) = get(&format!("{}/apply?host=yahoo.com", one.url())).await?;
            ensure!(status == 200, "{status} {body}");
            break begun.elapsed();
        }
        ensure!(begun.elapsed() < BOUND, "no model answers");
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    let memory_kb = resident_kb(Path::new(&format!("/proc/{master}"))).context("the master's memory")?;
    application.stop().await?;
    Ok(Ours { running, callable, memory_kb })
}

async fn one_of_the_shell() -> Result<Shell> {
    let (cluster, site) = (Cluster::shared().await?, Site::new().await?);
    let (begun, before) = (Instant::now(), since_epoch());
    let jar = format!("{}/hadoop-yarn-applications-distributedshell-3.4.2.jar", cluster.line("HADOOP_LIB")?);
    let class = "org.apache.hadoop.yarn.applications.distributedshell.Client";
    let mut args = vec!["-jar", &jar, "-shell_command", "date +%s%N", "-num_containers", "1"];
    args.extend(["-container_memory", "64", "-master_memory", "256"]);
    let client = cluster.java(&site, &[], class, &args);
    let (output, seen) = tokio::join!(client, watch_the_shell(&cluster, begun));
    let (submitted_ms, line_ns, memory_kb) = seen.with_context(|| format!("{output:?}"))?;
    output?.exits(0)?;
    let line = Duration::from_nanos(line_ns);
    Ok(Shell {
        from_submission: line
            .checked_sub(Duration::from_millis(submitted_ms))
            .context("a line after the submission")?,
        from_start: line.checked_sub(before).context("a line after the start")?,
        memory_kb,
    })
}

/// Since the epoch.
fn since_epoch() -> Duration {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// When the shell was submitted, ms, what its container wrote, ns, and the most its master had in memory.
async fn watch_the_shell(cluster: &Cluster, begun: Instant) -> Result<(u64, u64, u64)> {
    let (id, submitted) = loop {
        let found = cluster.rm.applications(&ApplicationFilter::unfinished()).await?;
        if let Some(shell) = found.iter().find(|one| one.name == "DistributedShell") {
            break (shell.id, u64::try_from(shell.start_time)?);
        }
        ensure!(begun.elapsed() < BOUND, "no distributed shell is submitted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let mut most = 0;
    loop {
        most = most.max(java_of(id).and_then(|process| resident_kb(&process)).unwrap_or(0));
        let report = cluster.report(id).await?;
        if report.state.is_over() {
            let logs = PathBuf::from(&cluster.dir).join("nm1/logs").join(id.to_string());
            let line = first_line(&logs)?.with_context(|| format!("no line below {}", logs.display()))?;
            ensure!(most > 0, "its master was not seen");
            return Ok((submitted, line, most));
        }
        ensure!(begun.elapsed() < BOUND, "{id} does not end");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The number that a container of the application wrote.
fn first_line(logs: &Path) -> Result<Option<u64>> {
    for container in std::fs::read_dir(logs)? {
        let Ok(text) = std::fs::read_to_string(container?.path().join("stdout")) else { continue };
        if let Some(number) = text.lines().next().and_then(|line| line.parse().ok()) {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// The process of a container of the application that is a JVM.
fn java_of(id: ApplicationId) -> Option<PathBuf> {
    let mark = format!("/{id}/");
    let is_it = |process: &PathBuf| {
        let is_java = std::fs::read_link(process.join("exe")).is_ok_and(|exe| exe.ends_with("java"));
        let environment = if is_java { std::fs::read(process.join("environ")).unwrap_or_default() } else { Vec::new() };
        environment.windows(mark.len()).any(|window| window == mark.as_bytes())
    };
    std::fs::read_dir("/proc").ok()?.filter_map(|entry| Some(entry.ok()?.path())).find(is_it)
}

fn resident_kb(process: &Path) -> Option<u64> {
    let status = std::fs::read_to_string(process.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").trim().parse().ok()
}

/// Calls of both clients in turns.
async fn reports() -> Result<()> {
    let mut application = Application::start_on(Cluster::shared().await?, Site::new().await?).await?;
    for callers in [1, 16] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(calls(&application.cluster.rm, application.id, callers).await?);
            theirs.push(calls_of_java(&application, callers).await?);
        }
        let (ours, theirs) = (median(ours.into_iter()), median(theirs.into_iter()));
        let ratio = of(ours) / of(theirs);
        let name = format!("yarn_reports_{callers}");
        let rate = |calls: u64| format!("{calls}/s");
        support::line(&name, &rate(ours), &rate(theirs), &format!("{ratio:.2}"), ">=1", ratio >= 1.0);
    }
    application.stop().await
}

async fn calls(rm: &ResourceManager, id: ApplicationId, callers: usize) -> Result<u64> {
    let begin = Instant::now() + CALLS.0;
    let end = begin + CALLS.1;
    let all: Vec<_> = (0..callers)
        .map(|_| {
            let rm = rm.clone();
            tokio::spawn(async move {
                let mut made = 0;
                loop {
                    rm.report(id).await?;
                    let now = Instant::now();
                    if now >= end {
                        return anyhow::Ok(made);
                    }
                    made += u64::from(now >= begin);
                }
            })
        })
        .collect();
    let mut made = 0;
    for one in all {
        made += one.await??;
    }
    Ok(made / CALLS.1.as_secs())
}

async fn calls_of_java(application: &Application, callers: usize) -> Result<u64> {
    let program = repository().join("tests/clients/ReportRunner.java");
    let (id, callers) = (application.id.to_string(), callers.to_string());
    let (warm, measured) = (CALLS.0.as_millis().to_string(), CALLS.1.as_millis().to_string());
    let args = [id.as_str(), &callers, &warm, &measured];
    let class = program.to_str().context("plain names")?;
    let output = application.cluster.java(&application.site, &[], class, &args).await?.exits(0)?;
    let last = output.stdout.lines().last().unwrap_or_default();
    last.parse().with_context(|| format!("{output:?}"))
}
