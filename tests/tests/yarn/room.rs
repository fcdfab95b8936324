//! What a cluster can't give, or takes back: said in words, and nobody else is held up by it.

use crate::application::Application;
use anyhow::{Context, Result, ensure};
use integration_tests::{ModelDir, until};
use serde_json::Value;
use std::time::Duration;

impl Application {
    /// A version as STATUS shows it.
    async fn status(&self, name: &str) -> Result<Value> {
        let output = self.deploy(&["-mo", "STATUS", "-n", name, "--json"]).await?.exits(0)?;
        let all = output.json()?;
        all.get(0).cloned().with_context(|| format!("no {name}: {all}"))
    }

    /// Wants none of a version any more.
    async fn withdraw(&self, name: &str, version: &str) -> Result<()> {
        let args = ["-mo", "REMOVE", "-n", name, "-v", version, "-ni", "1", "--wait", "60"];
        self.deploy(&args).await?.exits(0)?;
        Ok(())
    }

    /// Waits until a version is so.
    async fn shows(&self, name: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
        until(Duration::from_secs(60), what, async || {
            let status = self.status(name).await?;
            ensure!(is_so(&status), "{status}");
            Ok(status)
        })
        .await
    }
}

/// One application for all of these: submitting one takes longer than most of them.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_cluster_can_not_give_is_said_and_holds_up_nobody_else() -> Result<()> {
    let application = Application::start().await?;
    what_can_never_be_had_is_said_at_once(&application).await.context("never fits")?;
    a_model_that_fails_says_why_from_its_container(&application).await.context("fails")?;
    a_model_over_its_memory_says_so_and_is_tried_again(&application).await.context("over its memory")?;
    of_forty_asked_for_five_run_and_a_smaller_model_is_not_held_up(&application).await.context("forty")?;
    application.stop().await
}

async fn of_forty_asked_for_five_run_and_a_smaller_model_is_not_held_up(application: &Application) -> Result<()> {
    // 8192 MB, less the master's 512; there are more cores than that.
    application.add("big", 40, 1408).await?;
    let waits = |status: &Value| status["ready"] == 5 && status["reason_code"] == "waiting_capacity";
    let status = application.shows("big", "five that run while the others wait", waits).await?;
    ensure!(status["state"] == "Degraded", "{status}");
    application.add("small", 1, 64).await?;
    application.site.answering("small", 1).await?;
    let ready: Vec<String> = application.site.registered("big").await?.into_iter().map(|one| one.id).collect();
    application.deploy(&["-mo", "REMOVE", "-n", "big", "-v", "1.0", "-ni", "35"]).await?.exits(0)?;
    application
        .shows("big", "five wanted and ready", |status| status["state"] == "Ready" && status["desired"] == 5)
        .await?;
    let left: Vec<String> = application.site.registered("big").await?.into_iter().map(|one| one.id).collect();
    ensure!(left == ready, "those that waited go first: {ready:?} {left:?}");
    Ok(())
}

async fn a_model_over_its_memory_says_so_and_is_tried_again(application: &Application) -> Result<()> {
    let model = ModelDir::new(application.site.path("greedy"))?
        .file("run.sh", "#!/bin/sh\nexec python3 -c \"x = b'a' * (400 << 20); import time; time.sleep(600)\"\n")?;
    let base = format!("/user/root/models/{}", application.id);
    let add = ["-mo", "ADD", "-lmp", model.arg(), "-hmp", &base, "-n", "greedy", "-v", "1", "-ni", "1", "-m", "128"];
    application.deploy(&add).await?.exits(0)?;
    let over = |status: &Value| {
        let ended = status["ended"].as_array().cloned().unwrap_or_default();
        ended.len() >= 2 && ended.iter().all(|end| end["reason_code"] == "out_of_memory")
    };
    application.shows("greedy", "two ends for want of memory", over).await?;
    application.withdraw("greedy", "1").await
}

async fn what_can_never_be_had_is_said_at_once(application: &Application) -> Result<()> {
    application.add("huge", 1, 8000).await?;
    let status = application.shows("huge", "a reason", |status| status["reason_code"] == "never_fits").await?;
    ensure!(status["reason"] == "asks 8000 MB, the largest allowed is 4096 MB", "{status}");
    application.withdraw("huge", "1.0").await
}

async fn a_model_that_fails_says_why_from_its_container(application: &Application) -> Result<()> {
    let model = ModelDir::new(application.site.path("broken"))?
        .file("run.sh", "#!/bin/sh\necho 'no such table' >&2\nexit 3\n")?;
    let base = format!("/user/root/models/{}", application.id);
    let mut add = vec!["-mo", "ADD", "-lmp", model.arg(), "-hmp", &base, "-n", "broken", "-v", "1"];
    add.extend(["-ni", "1", "-m", "128", "--wait", "60"]);
    let output = application.deploy(&add).await?.exits(7)?;
    ensure!(output.stderr.contains("exit code 3") || output.stderr.contains("ended with 3"), "{output:?}");
    application.withdraw("broken", "1").await
}
