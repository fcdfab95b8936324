//! Models that crash, grow, babble or leave processes behind: what is said of them, and what becomes of the others.

use anyhow::{Result, ensure};
use integration_tests::{Site, until};
use serde_json::Value;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_is_told_the_same_way_everywhere_and_holds_up_nobody() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let bad = site.model("bad")?.serves("--exit 3")?;
    let add = ["-mo", "ADD", "-n", "bad", "-v", "1.0", "-ni", "1", "-m", "64", "-lmp", bad.arg(), "--wait", "60"];
    let failed = site.deploy(&add).await?.exits(7)?;
    for part in ["127.0.0.1", "test_model: cannot load weights.bin", "maas_deploy"] {
        ensure!(failed.stderr.contains(part), "{part:?} is missing in: {}", failed.stderr);
    }
    let good = site.model("good")?.serves("")?;
    let started = Instant::now();
    site.add(&good, "good", "1.0", 2).await?;
    ensure!(started.elapsed() < Duration::from_secs(20), "the other model waited {:?}", started.elapsed());

    let status = until(Duration::from_secs(30), "STATUS to say Failed", async || {
        let status = site.deploy(&["-mo", "STATUS", "-n", "bad", "-v", "1.0", "--json"]).await?.exits(0)?.json()?;
        let one = if status.is_array() { status[0].clone() } else { status };
        ensure!(one["state"] == "Failed" && one["reason_code"] == "crash_loop", "{one}");
        Ok(one)
    })
    .await?;
    ensure!(status["restarts"].as_u64() >= Some(2), "{status}");
    site.deploy(&["-mo", "STATUS", "-n", "bad", "-v", "1.0", "--check"]).await?.exits(7)?;
    let events = site.deploy(&["-mo", "EVENTS", "-n", "bad", "-v", "1.0", "--json"]).await?.exits(0)?;
    let exits: Vec<Value> = events
        .json()
        .map(|all| all.as_array().cloned().unwrap_or_default())
        .or_else(|_| events.json_lines())?
        .into_iter()
        .filter(|event| event["reason_code"] == "script_exited")
        .collect();
    ensure!(exits.len() >= 3 && exits.iter().all(|event| event["exit_code"] == 3), "{}", events.stdout);
    let logs = site.deploy(&["-mo", "LOGS", "-n", "bad", "-v", "1.0", "--stream", "stderr"]).await?.exits(0)?;
    ensure!(logs.stdout.contains("cannot load weights.bin"), "{logs:?}");
    site.deploy(&["-mo", "REMOVE", "-n", "bad", "-v", "1.0", "-ni", "1", "--wait", "30"]).await?.exits(0)?;
    site.no_orphans(&["bad", "good"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn atomic_takes_back_what_did_not_start() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let bad = site.model("bad")?.serves("--exit 1")?;
    let add =
        ["-mo", "ADD", "-n", "bad", "-v", "1.0", "-ni", "2", "-m", "64", "-lmp", bad.arg(), "--wait", "60", "--atomic"];
    site.deploy(&add).await?.exits(7)?;
    until(Duration::from_secs(20), "nothing wanted", async || {
        let wanted = site.wanted("bad", "1.0").await?;
        ensure!(matches!(wanted, None | Some(0)), "{wanted:?}");
        Ok(())
    })
    .await?;
    site.no_orphans(&["bad"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_over_its_memory_is_killed_and_that_is_said() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let hog = site.model("hog")?.serves("--grow 200")?;
    let add = ["-mo", "ADD", "-n", "hog", "-v", "1.0", "-ni", "1", "-m", "48", "-lmp", hog.arg()];
    site.deploy(&add).await?.exits(0)?;
    let event = until(Duration::from_secs(60), "an event that says out of memory", async || {
        let events = site.deploy(&["-mo", "EVENTS", "-n", "hog", "--json"]).await?.exits(0)?;
        let all =
            events.json().map(|all| all.as_array().cloned().unwrap_or_default()).or_else(|_| events.json_lines())?;
        match all.into_iter().find(|event| event["reason_code"] == "out_of_memory") {
            Some(event) => Ok(event),
            None => anyhow::bail!("{}", events.stdout),
        }
    })
    .await?;
    let reason = event["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains("of 48 MB"), "{reason}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_megabytes_of_output_stop_nothing_and_are_kept_bounded() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let noisy = site.model("noisy")?.serves("--noise 40000000")?;
    site.add(&noisy, "noisy", "1.0", 1).await?;
    site.answering("noisy", 1).await?;
    let logs = site.deploy(&["-mo", "LOGS", "-n", "noisy", "--stream", "stdout", "--tail", "2"]).await?.exits(0)?;
    assert_eq!(logs.stdout.lines().count(), 2);
    let mut size = 0;
    for instance in std::fs::read_dir(site.path("state/instances"))? {
        for file in std::fs::read_dir(instance?.path().join("logs"))? {
            size += file?.metadata()?.len();
        }
    }
    ensure!(size < 20 << 20, "{size} bytes of logs are kept");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grandchild_in_a_session_of_its_own_goes_with_its_model() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let program = integration_tests::program("test_model")?;
    let script =
        format!("#!/bin/sh\nsetsid sh -c 'sleep 1000; true' &\n(setsid sleep 1000 &)\n'{}'\ntrue\n", program.display());
    let model = site.model("m")?.file("run.sh", &script)?;
    site.add(&model, "m", "1.0", 2).await?;
    site.answering("m", 2).await?;
    site.deploy(&["-mo", "REMOVE", "-n", "m", "-v", "1.0", "-ni", "1", "--wait", "60"]).await?.exits(0)?;
    site.no_orphans(&["m"]).await?;
    site.deploy(&["-mo", "REMOVE", "-n", "m", "-v", "1.0", "-ni", "1", "--wait", "60"]).await?.exits(0)?;
    let left: Vec<_> = site.processes().into_iter().filter(|process| process.instance.is_some()).collect();
    ensure!(left.is_empty(), "{left:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_waits_with_its_reason_and_holds_up_nobody() -> Result<()> {
    let site = Site::new().await?;
    let mut options = site.options();
    options.capacity = "memory=1000,vcores=100".to_string();
    let _master = integration_tests::Master::start(&options).await?;
    let model = site.model("m")?.serves("")?;
    let add = |name: &'static str, memory: &'static str, wait: &'static [&'static str]| {
        let arg = model.arg().to_string();
        let site = &site;
        async move {
            let args = ["-mo", "ADD", "-n", name, "-v", "1.0", "-ni", "1", "-m", memory, "-lmp", &arg];
            site.deploy(&[&args, wait].concat()).await
        }
    };
    add("first", "600", &["--wait", "60"]).await?.exits(0)?;
    add("waits", "600", &[]).await?.exits(0)?;
    let never = add("never", "5000", &["--wait", "60"]).await?;
    ensure!(never.code == 3 && never.stderr.contains("5000"), "{never:?}");
    add("small", "300", &["--wait", "60"]).await?.exits(0)?;
    until(Duration::from_secs(20), "STATUS to say what it waits for", async || {
        let status = site.deploy(&["-mo", "STATUS", "-n", "waits", "-v", "1.0", "--json"]).await?.exits(0)?.json()?;
        let one = if status.is_array() { status[0].clone() } else { status };
        ensure!(one["state"] == "Starting" && one["reason_code"] == "waiting_capacity", "{one}");
        ensure!(one["reason"].as_str().is_some_and(|reason| reason.contains("needs 600 MB")), "{one}");
        Ok(())
    })
    .await?;
    site.deploy(&["-mo", "REMOVE", "-n", "first", "-v", "1.0", "-ni", "1"]).await?.exits(0)?;
    site.answering("waits", 1).await?;
    Ok(())
}
