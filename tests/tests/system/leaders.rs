//! Two masters on one root: one leads, the other takes over, and one that comes back from a pause can do no harm.

use anyhow::{Context, Result, ensure};
use integration_tests::{Master, MasterOptions, Site, until};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// Options of a second master beside the usual one.
fn second(site: &Site) -> MasterOptions {
    MasterOptions { state_dir: site.path("state-2"), ..site.options() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_takes_over_within_the_session_time_out() -> Result<()> {
    let site = Site::new().await?;
    let mut first = site.master().await?;
    let m = site.model("m")?.serves("")?;
    site.add(&m, "m", "1.0", 2).await?;
    let before = site.answering("m", 2).await?;
    let mut other = Master::spawn(&second(&site)).await?;
    other.event("standby").await?;
    let killed = Instant::now();
    first.kill().await?;
    let ready = other.ready().await?;
    let took = killed.elapsed();
    ensure!(took < Duration::from_secs(8), "took over after {took:?}");
    ensure!(ready["epoch"].as_i64() > Some(1), "{ready}");
    site.deploy(&["-mo", "SCALE", "-n", "m", "-v", "1.0", "-ni", "3", "--wait", "60"]).await?.exits(0)?;
    let after = site.answering("m", 3).await?;
    for one in &before {
        ensure!(after.iter().any(|two| two.id == one.id), "{} was not adopted", one.id);
    }
    site.no_orphans(&["m"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_leader_that_wakes_up_stands_by_and_doubles_nothing() -> Result<()> {
    let site = Site::new().await?;
    let mut old = site.master().await?;
    let m = site.model("m")?.serves("")?;
    site.add(&m, "m", "1.0", 2).await?;
    let mut new = Master::spawn(&second(&site)).await?;
    new.event("standby").await?;
    // Work lies in the queue when the old leader is paused, and more comes for the new one.
    old.signal(Signal::STOP)?;
    site.deploy(&["-mo", "SCALE", "-n", "m", "-v", "1.0", "-ni", "5"]).await?.exits(0)?;
    let epoch = new.ready().await?["epoch"].as_i64().context("an epoch")?;
    site.answering("m", 5).await?;
    old.signal(Signal::CONT)?;
    old.event("standby").await?;
    site.deploy(&["-mo", "SCALE", "-n", "m", "-v", "1.0", "-ni", "3", "--wait", "60"]).await?.exits(0)?;
    site.answering("m", 3).await?;
    site.no_orphans(&["m"]).await?;
    let leader = site.node("/maas/state/leader").await?.context("a leader")?;
    assert_eq!(leader["epoch"].as_i64(), Some(epoch), "{leader}");
    // The one that stands by takes over in turn.
    new.kill().await?;
    until(Duration::from_secs(20), "the old one to lead again", async || {
        let leader = site.node("/maas/state/leader").await?.context("a leader")?;
        ensure!(leader["pid"].as_u64() == Some(u64::from(old.pid)), "{leader}");
        Ok(())
    })
    .await?;
    site.answering("m", 3).await?;
    site.no_orphans(&["m"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_session_expired_leads_again_by_itself() -> Result<()> {
    let site = Site::new().await?;
    let master = site.master().await?;
    let m = site.model("m")?.serves("")?;
    site.add(&m, "m", "1.0", 1).await?;
    let before = site.node("/maas/state/leader").await?.context("a leader")?;
    master.signal(Signal::STOP)?;
    until(Duration::from_secs(20), "the leader's node to go", async || {
        let leader = site.node("/maas/state/leader").await?;
        ensure!(leader.is_none(), "{leader:?}");
        Ok(())
    })
    .await?;
    master.signal(Signal::CONT)?;
    until(Duration::from_secs(20), "a later epoch of the same process", async || {
        let leader = site.node("/maas/state/leader").await?.context("none leads")?;
        ensure!(leader["pid"] == before["pid"] && leader["epoch"].as_i64() > before["epoch"].as_i64(), "{leader}");
        Ok(())
    })
    .await?;
    site.deploy(&["-mo", "SCALE", "-n", "m", "-v", "1.0", "-ni", "2", "--wait", "60"]).await?.exits(0)?;
    site.no_orphans(&["m"]).await
}
