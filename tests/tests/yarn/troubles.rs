//! What the loss of each part does to models that run: nothing, as long as their own node is there.

use crate::application::Application;
use crate::cluster::Cluster;
use anyhow::{Result, ensure};
use integration_tests::{Site, ZooKeeper, get, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Calls these endpoints in turn until it is told to stop; gives how many calls there were, or the first that failed.
pub(crate) fn calls(urls: Vec<String>, stop: Arc<AtomicBool>) -> JoinHandle<Result<u32>> {
    tokio::spawn(async move {
        let mut made = 0;
        while !stop.load(Ordering::Relaxed) || made < 1000 {
            for url in &urls {
                let (status, body) = get(&format!("{url}/apply?host=yahoo.com")).await?;
                ensure!(status == 200, "call {made}: {status} {body}");
                made += 1;
            }
        }
        Ok(made)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn another_attempt_adopts_what_a_killed_one_started_and_no_call_fails() -> Result<()> {
    let mut application = Application::start().await?;
    application.add("dga", 2, 256).await?;
    let urls = application.site.answering("dga", 2).await?.iter().map(|one| one.url().to_string()).collect();
    let before = application.containers().await?;
    let stop = Arc::new(AtomicBool::new(false));
    let called = calls(urls, stop.clone());
    application.kill_master(1).await?;
    application.leads(2).await?;
    stop.store(true, Ordering::Relaxed);
    let made = called.await??;
    ensure!(made >= 1000, "{made} calls");
    ensure!(application.containers().await? == before, "{before:?}");
    // The new one can do with them what the old one could.
    application.deploy(&["-mo", "SCALE", "-n", "dga", "-v", "1.0", "-ni", "3"]).await?.exits(0)?;
    application.site.answering("dga", 3).await?;
    application.deploy(&["-mo", "REMOVE", "-n", "dga", "-v", "1.0", "-ni", "2"]).await?.exits(0)?;
    application.site.answering("dga", 1).await?;
    application.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_application_leaves_its_logs_and_no_registration() -> Result<()> {
    let mut application = Application::start().await?;
    application.add("dga", 2, 256).await?;
    application.site.answering("dga", 2).await?;
    let (id, instances) = (application.id.to_string(), application.containers().await?);
    application.cluster.application_cli(&application.site, &["-kill", &id]).await?.exits(0)?;
    until(Duration::from_secs(20), "no registration", async || {
        let left = application.site.registered("dga").await?;
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })
    .await?;
    application.is_over = true;
    let logs =
        application.deploy(&["logs", "-n", "dga", "--application", &id, "--stream", "stdout"]).await?.exits(0)?;
    for instance in instances.keys() {
        ensure!(logs.stdout.contains(&format!("{instance} | mock DGA listens on port")), "{instance}: {logs:?}");
    }
    // What it had staged is found by whoever submits next.
    let mut next = Application::start().await?;
    next.nothing_is_staged_of(application.id).await?;
    next.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zookeeper_that_restarts_changes_nothing() -> Result<()> {
    let mut zookeeper = ZooKeeper::start(1).await?;
    let site = Site::on(&zookeeper.connect).await?;
    let mut application = Application::start_on(Cluster::shared().await?, site).await?;
    application.add("dga", 2, 256).await?;
    let urls = application.site.answering("dga", 2).await?.iter().map(|one| one.url().to_string()).collect();
    let before = application.containers().await?;
    let stop = Arc::new(AtomicBool::new(false));
    let called = calls(urls, stop.clone());
    zookeeper.kill().await?;
    zookeeper.restart().await?;
    application.site = application.site.reconnected(&zookeeper.connect).await?;
    application.deploy(&["-mo", "SCALE", "-n", "dga", "-v", "1.0", "-ni", "3"]).await?.exits(0)?;
    application.site.answering("dga", 3).await?;
    stop.store(true, Ordering::Relaxed);
    called.await??;
    let now = application.containers().await?;
    ensure!(before.iter().all(|(id, container)| now.get(id) == Some(container)), "{before:?} {now:?}");
    application.leads(1).await?;
    application.stop().await
}
