//! The example `sleep` as a whole application, both ways: from a shell, and as the master that YARN starts. Nothing but this crate speaks.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use hadoop_yarn::shell;
use hadoop_yarn::types::{ApplicationState, FinalStatus, LaunchContext, Resource, Submission};

use crate::cluster::Cluster;

/// Examples are built beside the tests.
fn example(name: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let built = test.ancestors().nth(2).context("tests are in deps")?.join("examples").join(name);
    anyhow::ensure!(built.exists(), "{} is not built: cargo build -p hadoop-yarn --examples", built.display());
    Ok(built)
}

#[tokio::test]
async fn two_containers_sleep_for_an_unmanaged_master() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let mut command = Command::new(example("sleep")?);
    command
        .arg("1")
        .env("HADOOP_CONF_DIR", cluster.directory.join("conf"))
        .env("HADOOP_USER_NAME", crate::cluster::USER);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((text.matches(" ended with 0\n").count(), text.contains("finished: SUCCEEDED")), (2, true), "{text}");
    Ok(())
}

#[tokio::test]
async fn two_containers_sleep_for_a_master_that_yarn_starts() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let id = cluster.client.new_application().await?.id;
    let program = shell::command([example("sleep")?.to_str().context("a path of text")?, "1"]);
    let context = LaunchContext {
        commands: vec![format!("{program} 1><LOG_DIR>/stdout 2><LOG_DIR>/stderr")],
        ..LaunchContext::default()
    };
    cluster.client.submit(&Submission::new(id, "sleep", context, Resource::new(64, 1))).await?;
    let report = cluster.report_when(id, "over", |report| report.state.is_over()).await?;
    assert_eq!(
        (report.state, report.final_status),
        (ApplicationState::Finished, FinalStatus::Succeeded),
        "{}",
        report.diagnostics
    );
    assert_eq!(report.diagnostics, "both have ended");
    Ok(())
}

#[tokio::test]
async fn a_master_goes_on_after_a_restart_of_the_resource_manager() -> anyhow::Result<()> {
    let cluster = Cluster::under_test()?;
    let mut command = Command::new(example("sleep")?);
    command
        .arg("15")
        .env("HADOOP_CONF_DIR", cluster.directory.join("conf"))
        .env("HADOOP_USER_NAME", crate::cluster::USER);
    let mut master = command.stdout(Stdio::piped()).spawn()?;
    let mut output = BufReader::new(master.stdout.take().context("its output")?);
    let (mut output, text) = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        while text.matches(" sleeps on ").count() < 2 && output.read_line(&mut text)? > 0 {}
        Ok::<_, std::io::Error>((output, text))
    })
    .await??;
    assert_eq!(text.matches(" sleeps on ").count(), 2, "{text}");
    cluster.hadoop(&["kill9", "--daemon", "rm"]).await?;
    cluster.hadoop(&["start"]).await?;
    let (status, text) = tokio::task::spawn_blocking(move || {
        let mut rest = String::new();
        output.read_to_string(&mut rest)?;
        Ok::<_, std::io::Error>((master.wait()?, text + &rest))
    })
    .await??;
    assert!(status.success() && text.contains("registered again"), "{text}");
    assert_eq!((text.matches(" ended with 0\n").count(), text.contains("finished: SUCCEEDED")), (2, true), "{text}");
    Ok(())
}
