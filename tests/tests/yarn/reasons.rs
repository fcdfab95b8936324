//! What a cluster can't give, and how models end: said in words.

use crate::application::Application;
use anyhow::{Context, Result, ensure};
use integration_tests::ModelDir;

/// One application for all of these: submitting one takes longer than most of them.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_cluster_can_not_give_is_said_and_how_models_end() -> Result<()> {
    let mut application = Application::start().await?;
    what_can_never_be_had_is_said_at_once(&application).await.context("never fits")?;
    a_model_that_fails_says_why_from_its_container(&application).await.context("fails")?;
    a_model_over_its_memory_is_replaced_ever_later(&application).await.context("over its memory")?;
    application.stop().await
}

async fn what_can_never_be_had_is_said_at_once(application: &Application) -> Result<()> {
    let example = ModelDir::new(application.site.path("m"))?.file("run.sh", "#!/bin/sh\nexec sleep 600\n")?;
    let cases = [
        ("huge", vec!["-m", "8000"], "asks 8000 MB, the largest allowed is 4096 MB"),
        ("labelled", vec!["-m", "128", "--label", "nope"], "no node with label nope"),
        ("gpus", vec!["-m", "128", "--gpus", "1"], "yarn.io/gpu, and no node has as much"),
    ];
    for (name, options, words) in cases {
        application.add_as(name, &example, &[&["-ni", "1"], options.as_slice()].concat()).await?.exits(0)?;
        let status = application.shows(name, "a reason", |status| status["reason_code"] == "never_fits").await?;
        ensure!(status["reason"].as_str().is_some_and(|reason| reason.contains(words)), "{status}");
        application.withdraw(name, "1").await?;
    }
    Ok(())
}

async fn a_model_that_fails_says_why_from_its_container(application: &Application) -> Result<()> {
    let model = ModelDir::new(application.site.path("broken"))?
        .file("run.sh", "#!/bin/sh\necho 'no such table' >&2\nexit 3\n")?;
    let output = application.add_as("broken", &model, &["-ni", "1", "-m", "128", "--wait", "60"]).await?.exits(7)?;
    ensure!(output.stderr.contains("exit code 3") || output.stderr.contains("ended with 3"), "{output:?}");
    application.withdraw("broken", "1").await
}

/// YARN kills it with -104, and says what it used.
async fn a_model_over_its_memory_is_replaced_ever_later(application: &Application) -> Result<()> {
    let greedy = "#!/bin/sh\nexec python3 -c \"x = b'a' * (400 << 20); import time; time.sleep(600)\"\n";
    let model = ModelDir::new(application.site.path("greedy"))?.file("run.sh", greedy)?;
    application.add_as("greedy", &model, &["-ni", "1", "-m", "128"]).await?.exits(0)?;
    let loops = |status: &serde_json::Value| {
        status["reason_code"] == "crash_loop" && status["restarts"].as_u64().is_some_and(|all| all >= 4)
    };
    let status = application.shows("greedy", "a crash loop", loops).await?;
    let ended = status["ended"].as_array().cloned().unwrap_or_default();
    let is_memory = |end: &serde_json::Value| {
        let says = end["reason"].as_str().is_some_and(|reason| reason.contains(" of 128 MB physical memory"));
        end["reason_code"] == "out_of_memory" && says
    };
    ensure!(ended.len() >= 3 && ended.iter().all(is_memory), "{status}");
    application.withdraw("greedy", "1").await
}
