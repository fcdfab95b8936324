//! Two ResourceManagers: the one that leads is killed while models run and one waits for room.
//!
//! `scripts/test.sh yarn` starts them, with their state in ZooKeeper, and one node of 1536 MB.

use crate::application::Application;
use crate::cluster::Cluster;
use crate::troubles::calls;
use anyhow::{Context, Result, ensure};
use integration_tests::{Site, get, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn when_the_resource_manager_that_leads_is_killed_no_call_fails_and_the_other_grants_what_was_asked() -> Result<()>
{
    let cluster = Cluster::of_two_resource_managers().await?;
    let mut application = Application::start_on(cluster, Site::new().await?).await?;
    application.add("dga", 2, 256).await?;
    let urls = application.site.answering("dga", 2).await?.iter().map(|one| one.url().to_string()).collect();
    // The master has 512 MB, these two as much together.
    application.add("waits", 1, 640).await?;
    application.shows("waits", "one that waits", |status| status["reason_code"] == "waiting_capacity").await?;
    let before = application.containers().await?;

    let stop = Arc::new(AtomicBool::new(false));
    let called = calls(urls, stop.clone());
    let killed = application.cluster.leading().await?;
    application.cluster.kill_daemon(killed).await?;
    let leads =
        until(Duration::from_secs(30), "another one to lead", async || application.cluster.leading().await).await?;
    ensure!(leads != killed, "{leads} is dead");
    application.add("more", 1, 128).await?;
    application.site.answering("more", 1).await?;
    stop.store(true, Ordering::Relaxed);
    called.await??;
    let now = application.containers().await?;
    ensure!(before.iter().all(|(id, container)| now.get(id) == Some(container)), "{before:?} {now:?}");
    application.leads(1).await?;
    let page = application.cluster.report(application.id).await?.tracking_url.context("a tracking URL")?;
    let (status, _) = get(&page).await?;
    ensure!(status == 200, "{page}: {status}");

    // What was asked of the one that is dead is granted by the other, whether or not the first one comes back to stand by.
    let granted = async {
        application.withdraw("dga", "1.0").await?;
        application.site.answering("waits", 1).await
    };
    let (granted, restarted) = tokio::join!(granted, application.cluster.restart());
    restarted?;
    granted?;
    ensure!(application.cluster.leading().await? == leads, "{leads} leads no longer");
    let events = application.deploy(&["-mo", "EVENTS", "-n", "dga"]).await?.exits(0)?;
    ensure!(events.stdout.contains("InstanceStopped") && !events.stdout.contains("InstanceFailed"), "{events:?}");
    let status = application.service(&["status", "--json"]).await?.exits(0)?.json()?;
    ensure!(status["models"].is_array() || status["models"].is_object(), "{status}");
    application.stop().await
}
