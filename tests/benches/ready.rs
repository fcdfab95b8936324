//! `ready`: from `maas_deploy ADD` to the first good answer at the registered url, for a model that starts in no time.
//!
//! Baseline: the same program started by hand until its port answers, plus one session with four synced writes.
//! Goal: their sum and at most 100 ms more.

mod support;

use anyhow::{Context, Result, ensure};
use integration_tests::{Site, get, program, until};
use std::process::Stdio;
use std::time::{Duration, Instant};
use zookeeper_client::{Acls, Client, CreateMode};

const ROUNDS: usize = 11;

#[tokio::main]
async fn main() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let model = site.model("m")?.serves("")?;
    // The first round fills caches: the payload's, the system's.
    let (mut measured, mut started, mut written) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let name = format!("m{round}");
        let (one, two, three) =
            (added(&site, model.arg(), &name).await?, bare_start(&site).await?, writes(&site, round).await?);
        if round > 0 {
            measured.push(one);
            started.push(two);
            written.push(three);
        }
        site.deploy(&["-mo", "REMOVE", "-n", &name, "-v", "1.0", "-ni", "1", "--wait", "30"]).await?.exits(0)?;
    }
    let (measured, baseline) = (median(measured), median(started) + median(written));
    let more = measured.saturating_sub(baseline);
    let ratio = measured.as_secs_f64() / baseline.as_secs_f64();
    support::line(
        "ready",
        &format!("{}ms", measured.as_millis()),
        &format!("{}ms", baseline.as_millis()),
        &format!("{ratio:.2}"),
        "<=+100ms",
        more <= Duration::from_millis(100),
    );
    Ok(())
}

async fn added(site: &Site, directory: &str, name: &str) -> Result<Duration> {
    let begun = Instant::now();
    let args = ["-mo", "ADD", "-n", name, "-v", "1.0", "-ni", "1", "-m", "64", "-lmp", directory];
    site.deploy(&args).await?.exits(0)?;
    loop {
        let found = site.registered(name).await?;
        if let Some(one) = found.first() {
            let (status, _) = get(&format!("{}/apply?host=x", one.url())).await?;
            ensure!(status == 200, "{status}");
            return Ok(begun.elapsed());
        }
        ensure!(begun.elapsed() < Duration::from_secs(30), "{name} is not ready");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn bare_start(site: &Site) -> Result<Duration> {
    let place = site.path(&format!("bare-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&place)?;
    let begun = Instant::now();
    let mut child = tokio::process::Command::new(program("test_model")?)
        .current_dir(&place)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    loop {
        if let Ok(text) = std::fs::read_to_string(place.join("endpoint.dat")) {
            let endpoint: serde_json::Value = serde_json::from_str(&text)?;
            get(&format!("{}/apply?host=x", endpoint["url"].as_str().context("a url")?)).await?;
            break;
        }
        ensure!(begun.elapsed() < Duration::from_secs(30), "test_model does not start");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = begun.elapsed();
    child.kill().await?;
    Ok(took)
}

async fn writes(site: &Site, round: usize) -> Result<Duration> {
    let begun = Instant::now();
    let client = Client::connect(&site.connect).await?;
    for number in 0..4 {
        let path = format!("/bare-{round}-{number}");
        client.create(&path, b"{}", &CreateMode::Persistent.with_acls(Acls::anyone_all())).await?;
    }
    let took = begun.elapsed();
    drop(client);
    until(Duration::from_secs(5), "the last write", async || {
        site.zk.check_stat(&format!("/bare-{round}-3")).await?.context("not there").map(|_| ())
    })
    .await?;
    Ok(took)
}

/// The middle one.
fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}
