//! The master killed after each of its effects, one by one; the next master ends up exactly where the first would have.

use anyhow::{Context, Result, ensure};
use integration_tests::{Master, Site, kazoo, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::time::Duration;

/// Runs the same small story with the first master dying at `name`, and checks where it ends.
async fn story(name: &str, must_be_reached: bool) -> Result<()> {
    let site = Site::new().await?;
    let mut options = site.options();
    options.crash_at = Some(name.to_string());
    let mut master = Master::spawn(&options).await?;
    options.crash_at = None;
    let mut crashed = false;

    site.model("store/metron/flat")?.serves("")?;
    let flat = json!({"name":"flat","version":"1.0","numInstances":1,"memory":64,"action":"ADD","path":"/metron/flat"});
    let other =
        json!({"name":"flat","version":"1.0","numInstances":3,"memory":64,"action":"ADD","path":"/metron/flat"});
    let remove = json!({"name":"flat","version":"1.0","numInstances":2,"memory":0,"action":"REMOVE","path":null});
    let lines = [flat.to_string(), "no request".to_string(), other.to_string()].map(|line| json!(line).to_string());
    kazoo(&site.connect, &["offer"], &lines.join("\n")).await?;
    settle(&site, &mut master, &options, &mut crashed, 4).await?;

    // One instance dies, so that the master has something to bury and to replace.
    let victim =
        site.processes().into_iter().find(|process| process.instance.is_some()).context("a model's process")?;
    kill_process(Pid::from_raw(i32::try_from(victim.pid)?).context("a pid")?, Signal::KILL)?;
    until(Duration::from_secs(20), "the end of the killed instance", async || {
        let ids = site.registered("flat").await?;
        ensure!(ids.iter().all(|one| Some(&one.id) != victim.instance.as_ref()), "{ids:?}");
        Ok(())
    })
    .await?;
    settle(&site, &mut master, &options, &mut crashed, 4).await?;

    kazoo(&site.connect, &["offer"], &json!(remove.to_string()).to_string()).await?;
    settle(&site, &mut master, &options, &mut crashed, 2).await?;

    assert_eq!(site.wanted("flat", "1.0").await?, Some(2));
    assert_eq!(site.children("/maas/state/rejected").await?.len(), 1);
    let requests = site.children("/maas/state/requests").await?;
    assert_eq!(requests.len(), 3, "{requests:?}");
    for id in requests {
        let request = site.node(&format!("/maas/state/requests/{id}")).await?.context("a request's record")?;
        assert_eq!(request["outcome"], "accepted", "{request}");
    }
    site.no_orphans(&["flat"]).await?;
    ensure!(crashed || !must_be_reached, "{name} was never reached; the master said: {}", master.log());
    Ok(())
}

/// Waits until `count` instances answer and the queue is empty, starting the master again should it crash meanwhile.
async fn settle(
    site: &Site,
    master: &mut Master,
    options: &integration_tests::MasterOptions,
    crashed: &mut bool,
    count: usize,
) -> Result<()> {
    let steady = async {
        until(Duration::from_secs(60), "an empty queue", async || {
            let left = site.children("/maas/queue").await?;
            ensure!(left.is_empty(), "{left:?}");
            Ok(())
        })
        .await?;
        site.answering("flat", count).await?;
        site.no_orphans(&["flat"]).await
    };
    tokio::pin!(steady);
    loop {
        tokio::select! {
            done = &mut steady => return done,
            ended = master.ended(), if !*crashed => {
                // Also the bound on how long this may take; that is no end.
                let Ok(status) = ended else { continue };
                ensure!(!status.success(), "the master ended by itself: {}", master.log());
                *crashed = true;
                *master = Master::spawn(options).await?;
            }
        }
    }
}

macro_rules! crash_points {
    ($($test:ident $name:literal $must:literal),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() -> Result<()> {
            story($name, $must).await
        }
    )*};
}

crash_points! {
    a_crash_after_the_election_loses_nothing "after-election" true,
    a_crash_after_taking_a_request_loses_nothing "after-intake" true,
    a_crash_after_setting_a_message_aside_loses_nothing "after-reject" true,
    a_crash_after_importing_a_payload_loses_nothing "after-import" true,
    a_crash_after_recording_a_payload_loses_nothing "after-payload-recorded" true,
    a_crash_after_recording_an_intent_loses_nothing "after-intent" true,
    a_crash_after_launching_loses_nothing "after-launch" true,
    a_crash_after_recording_a_stop_loses_nothing "after-stop-recorded" true,
    a_crash_after_burying_an_instance_loses_nothing "after-bury" true,
    a_crash_after_forgetting_an_instance_loses_nothing "after-forget" false,
}
