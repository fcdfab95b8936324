//! `kill -9`, SIGSTOP and restarts of the processes themselves: runner, guard, model, master.

use anyhow::{Context, Result, ensure};
use integration_tests::{Process, Registered, Site, until};
use rustix::process::{Pid, Signal, kill_process};
use std::time::Duration;

fn send(process: &Process, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(process.pid)?).context("a pid")?;
    kill_process(pid, signal).with_context(|| format!("can't signal {process:?}"))
}

fn runner(site: &Site, id: &str) -> Result<Process> {
    find(site, |process| process.command.contains(" run ") && process.command.contains(id), "a runner")
}

fn guard(site: &Site, id: &str) -> Result<Process> {
    find(site, |process| process.command.contains(" guard") && belongs(process, id), "a guard")
}

fn model(site: &Site, id: &str) -> Result<Process> {
    find(site, |process| process.command.contains("test_model") && belongs(process, id), "a model's process")
}

fn belongs(process: &Process, id: &str) -> bool {
    process.command.contains(id) || process.instance.as_deref() == Some(id)
}

fn find(site: &Site, wanted: impl Fn(&Process) -> bool, what: &str) -> Result<Process> {
    let all = site.processes();
    all.iter().find(|process| wanted(process)).cloned().with_context(|| format!("no {what} in {all:#?}"))
}

fn ids(registered: &[Registered]) -> Vec<&str> {
    registered.iter().map(|one| one.id.as_str()).collect()
}

/// Three instances, one of which is struck; in the end three answer, the struck one is gone and nothing is left of it.
async fn struck(strike: impl Fn(&Site, &str) -> Result<()>) -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let m = site.model("m")?.serves("")?;
    site.add(&m, "m", "1.0", 3).await?;
    let before = site.answering("m", 3).await?;
    let victim = before[1].id.clone();
    strike(&site, &victim)?;
    until(Duration::from_secs(60), "the struck one to leave the registry", async || {
        let now = site.registered("m").await?;
        ensure!(!ids(&now).contains(&victim.as_str()), "{:?}", ids(&now));
        Ok(())
    })
    .await?;
    let after = site.answering("m", 3).await?;
    for untouched in [&before[0], &before[2]] {
        ensure!(ids(&after).contains(&untouched.id.as_str()), "{} went too: {:?}", untouched.id, ids(&after));
    }
    site.no_orphans(&["m"]).await?;
    let left: Vec<Process> = site.processes().into_iter().filter(|process| belongs(process, &victim)).collect();
    ensure!(left.is_empty(), "left of {victim}: {left:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_model_is_replaced() -> Result<()> {
    struck(|site, id| send(&model(site, id)?, Signal::KILL)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_guard_takes_its_model_along_and_is_replaced() -> Result<()> {
    struck(|site, id| send(&guard(site, id)?, Signal::KILL)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_runner_leaves_no_model_behind_and_is_replaced() -> Result<()> {
    struck(|site, id| send(&runner(site, id)?, Signal::KILL)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_and_its_guard_killed_at_once_leave_no_model_behind() -> Result<()> {
    struck(|site, id| {
        let (guard, runner) = (guard(site, id)?, runner(site, id)?);
        send(&guard, Signal::STOP)?;
        send(&runner, Signal::KILL)?;
        send(&guard, Signal::KILL)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_model_leaves_the_registry_and_comes_back() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let live = r#"{"live":{"http":"/ping","every_s":1,"timeout_s":1,"failures":2}}"#;
    let m = site.model("m")?.serves("")?.file("maas.json", live)?;
    site.add(&m, "m", "1.0", 2).await?;
    let before = site.answering("m", 2).await?;
    let paused = model(&site, &before[0].id)?;
    send(&paused, Signal::STOP)?;
    site.answering_within(Duration::from_secs(30), "m", 1).await?;
    send(&paused, Signal::CONT)?;
    let after = site.answering_within(Duration::from_secs(40), "m", 2).await?;
    ensure!(ids(&before) == ids(&after), "{:?} became {:?}", ids(&before), ids(&after));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_paused_beyond_its_session_registers_again() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let m = site.model("m")?.serves("")?;
    site.add(&m, "m", "1.0", 1).await?;
    let before = site.answering("m", 1).await?;
    let paused = runner(&site, &before[0].id)?;
    send(&paused, Signal::STOP)?;
    until(Duration::from_secs(30), "its session to expire", async || {
        let now = site.registered("m").await?;
        ensure!(now.is_empty(), "{now:?}");
        Ok(())
    })
    .await?;
    send(&paused, Signal::CONT)?;
    let after = site.answering("m", 1).await?;
    ensure!(ids(&before) == ids(&after), "{:?} became {:?}", ids(&before), ids(&after));
    site.no_orphans(&["m"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_master_adopts_what_runs() -> Result<()> {
    let site = Site::new().await?;
    let mut master = site.master().await?;
    let m = site.model("m")?.serves("")?;
    site.add(&m, "m", "1.0", 3).await?;
    let before = site.answering("m", 3).await?;
    for signal in [Signal::TERM, Signal::HUP, Signal::KILL] {
        master.signal(signal)?;
        let status = master.ended().await?;
        ensure!(status.success() || signal == Signal::KILL, "{signal:?}: {status}: {}", master.log());
        ensure!(site.running_instances() == ids(&before), "models ended with the master");
        master = site.master().await?;
    }
    // One is asked for and taken while nobody leads; the next master does it.
    master.kill().await?;
    site.deploy(&["-mo", "SCALE", "-n", "m", "-v", "1.0", "-ni", "4"]).await?.exits(0)?;
    let _master = site.master().await?;
    let after = site.answering("m", 4).await?;
    for one in ids(&before) {
        ensure!(ids(&after).contains(&one), "{one} was not adopted: {:?}", ids(&after));
    }
    site.no_orphans(&["m"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_with_models_ends_everything_and_wants_it_still() -> Result<()> {
    let site = Site::new().await?;
    let mut master = site.master().await?;
    let m = site.model("m")?.serves("")?;
    site.add(&m, "m", "1.0", 2).await?;
    site.service(&["stop", "--with-models"]).await?.exits(0)?;
    master.ended().await?;
    site.empty().await?;
    assert_eq!(site.registered("m").await?, []);
    assert_eq!(site.wanted("m", "1.0").await?, Some(2));
    let _master = site.master().await?;
    site.answering("m", 2).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_directory_serves_one_master() -> Result<()> {
    let site = Site::new().await?;
    let master = site.master().await?;
    let mut second = integration_tests::Master::spawn(&site.options()).await?;
    assert_eq!(second.ended().await?.code(), Some(8), "{}", second.log());
    // What it said is read beside its end.
    until(Duration::from_secs(10), "the refusal", async || {
        let said = format!("{:?}", second.events());
        ensure!(said.contains(&master.pid.to_string()), "{said}");
        Ok(())
    })
    .await
}
