//! Logs after an application's end: what `maas_deploy logs` reads is what Hadoop's own command prints.

use crate::application::Application;
use anyhow::{Context, Result, ensure};
use hadoop_yarn::types::LogAggregation;
use integration_tests::until;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Log files by container and name, as Hadoop's own command prints them.
type Printed = BTreeMap<(String, String), String>;

/// Reads what the command prints: for each file its container, its name, its length in bytes and its contents.
fn printed(mut text: &str) -> Result<Printed> {
    let mut files = Printed::new();
    while let Some((_, rest)) = text.split_once("Container: ") {
        let line = |key: &str| -> Result<&str> {
            let (_, rest) = rest.split_once(key).with_context(|| format!("no {key} in {rest}"))?;
            Ok(rest.lines().next().unwrap_or_default())
        };
        let container = rest.split(' ').next().unwrap_or_default().to_string();
        let (name, length) = (line("LogType:")?.to_string(), line("LogLength:")?.parse()?);
        let (_, contents) = rest.split_once("LogContents:\n").with_context(|| format!("no contents in {rest}"))?;
        let file = contents.get(..length).with_context(|| format!("{name} of {container} is cut"))?;
        files.insert((container, name), file.to_string());
        text = &contents[length..];
    }
    Ok(files)
}

/// Waits until the logs of an application that has ended are collected, and reads them with Hadoop's own command.
async fn by_hadoop(application: &Application) -> Result<Printed> {
    until(Duration::from_secs(30), "aggregated logs", async || {
        let report = application.cluster.report(application.id).await?;
        ensure!(report.log_aggregation == LogAggregation::Succeeded, "{:?}", report.log_aggregation);
        Ok(())
    })
    .await?;
    let class = "org.apache.hadoop.yarn.client.cli.LogsCLI";
    let id = application.id.to_string();
    let logs = application.cluster.java(&application.site, &[], class, &["-applicationId", &id]).await?.exits(0)?;
    printed(&logs.stdout)
}

/// Both commands read the same of every instance of a model that has so many, stream by stream.
pub(crate) async fn logs_are_the_same_as_hadoop_s(application: &Application, model: &str, count: usize) -> Result<()> {
    // Asked at once after the end, so that it is this command that waits for them.
    let id = application.id.to_string();
    let ours = ["logs", "-n", model, "--application", &id];
    let text = application.deploy(&ours).await?.exits(0)?;
    let files = by_hadoop(application).await?;
    let part = |container: &str, name: &str| files.get(&(container.to_string(), name.to_string()));
    let mut seen = 0;
    for ((container, name), json) in &files {
        if name != "instance.json" {
            continue;
        }
        let identity: Value = serde_json::from_str(json)?;
        ensure!(identity["name"] == model && identity.as_object().is_some_and(|all| all.len() == 3), "{identity}");
        let instance = identity["instance"].as_str().context("an id")?;
        for stream in ["stdout", "stderr"] {
            let theirs = part(container, stream).with_context(|| format!("no {stream} of {container}"))?;
            let of_one = [&ours[..], &["--instance", instance, "--stream", stream]].concat();
            let of_one = application.deploy(&of_one).await?.exits(0)?;
            ensure!(of_one.stdout == *theirs, "{stream} of {instance}: {of_one:?}, not {theirs:?}");
            for line in theirs.lines() {
                let line = format!("{instance} | {line}");
                ensure!(count == 1 || text.stdout.lines().any(|other| other == line), "no {line:?} in {text:?}");
            }
        }
        let runner = part(container, "runner.stderr").context("what the runner wrote")?;
        ensure!(runner.contains("script started"), "{runner}");
        seen += 1;
    }
    ensure!(seen == count, "{seen} instances in {:?}", files.keys());
    ensure!(files.keys().any(|(_, name)| name == "maas_master.stderr"), "no word of the master in {:?}", files.keys());
    Ok(())
}

/// What is not there, or not for everybody, is said.
pub(crate) async fn what_is_not_there_is_said(application: &Application, model: &str) -> Result<()> {
    let id = application.id.to_string();
    let other = application.deploy(&["logs", "-n", "nosuch", "--application", &id]).await?.exits(4)?;
    ensure!(other.stderr.contains(&format!("they have {model} ")), "{other:?}");
    let unknown = application.deploy(&["logs", "-n", model, "--application", "application_1_0001"]).await?.exits(4)?;
    ensure!(unknown.stderr.contains("knows no application_1_0001"), "{unknown:?}");
    let followed = application.deploy(&["logs", "-n", model, "--follow"]).await?.exits(2)?;
    ensure!(followed.stderr.contains("no master leads"), "{followed:?}");
    let mut variables = application.cluster.variables(&application.site)?;
    variables.retain(|(name, _)| *name != "HADOOP_USER_NAME");
    variables.push(("HADOOP_USER_NAME", "bob"));
    let program = integration_tests::program("maas_deploy")?;
    let args = ["logs", "-n", model, "--application", &id];
    let refused = application.site.run_with(&program, &args, &variables).await?.exits(9)?;
    ensure!(refused.stderr.contains("user bob may not read"), "{refused:?}");
    Ok(())
}
