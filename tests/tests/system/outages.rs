//! ZooKeeper itself going away: killed, down for three session time-outs, one of three lost, and a full disk.

use anyhow::{Result, ensure};
use integration_tests::{Site, ZooKeeper, get, until};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn models_answer_while_zookeeper_is_down_for_three_session_time_outs() -> Result<()> {
    let mut zookeeper = ZooKeeper::start(1).await?;
    let site = Site::on(&zookeeper.connect).await?;
    let _master = site.master().await?;
    let m = site.model("m")?.serves("")?;
    site.add(&m, "m", "1.0", 2).await?;
    let before = site.answering("m", 2).await?;
    zookeeper.kill().await?;
    // The runners ask for sessions of 10 s.
    let down = Instant::now();
    let mut calls = 0;
    until(Duration::from_secs(40), "three session time-outs", async || {
        for one in &before {
            let (status, _) = get(&format!("{}/apply?host=x", one.url())).await?;
            assert_eq!(status, 200);
        }
        calls += 1;
        ensure!(down.elapsed() > Duration::from_secs(31), "{:?}", down.elapsed());
        Ok(())
    })
    .await?;
    ensure!(calls > 10, "only {calls} rounds of calls");
    zookeeper.restart().await?;
    // The client of this test has lost its session too.
    let again = site.reconnected(&zookeeper.connect).await?;
    let after = again.answering("m", 2).await?;
    let ids = |all: &[integration_tests::Registered]| all.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&before), ids(&after));
    again.deploy(&["-mo", "SCALE", "-n", "m", "-v", "1.0", "-ni", "3", "--wait", "60"]).await?.exits(0)?;
    let record = again.node("/maas/state/models/m/1.0/status").await?.unwrap_or_default();
    ensure!(record["restarts"].as_u64().unwrap_or(0) == 0, "{record}");
    again.no_orphans(&["m"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_outage_of_zookeeper_is_not_noticed_by_models() -> Result<()> {
    let mut zookeeper = ZooKeeper::start(1).await?;
    let site = Site::on(&zookeeper.connect).await?;
    let _master = site.master().await?;
    let m = site.model("m")?.serves("")?;
    site.add(&m, "m", "1.0", 2).await?;
    let before = site.answering("m", 2).await?;
    for _ in 0..3 {
        zookeeper.kill().await?;
        zookeeper.restart().await?;
        let again = site.reconnected(&zookeeper.connect).await?;
        assert_eq!(
            again.answering("m", 2).await?.iter().map(|one| &one.id).collect::<Vec<_>>(),
            before.iter().map(|one| &one.id).collect::<Vec<_>>()
        );
    }
    site.deploy(&["-mo", "SCALE", "-n", "m", "-v", "1.0", "-ni", "3", "--wait", "60"]).await?.exits(0)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_one_server_of_three_changes_nothing() -> Result<()> {
    let mut zookeeper = ZooKeeper::start(3).await?;
    let site = Site::on(&zookeeper.connect).await?;
    let _master = site.master().await?;
    let m = site.model("m")?.serves("")?;
    site.add(&m, "m", "1.0", 2).await?;
    for server in [1, 2, 3] {
        zookeeper.kill_one(server).await?;
        let count = (3 + server).to_string();
        site.deploy(&["-mo", "SCALE", "-n", "m", "-v", "1.0", "-ni", &count, "--wait", "60"]).await?.exits(0)?;
        zookeeper.restart().await?;
    }
    let again = site.reconnected(&zookeeper.connect).await?;
    again.answering("m", 6).await?;
    again.no_orphans(&["m"]).await
}
