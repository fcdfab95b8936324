//! A service that was submitted, and its master.

use crate::cluster::Cluster;
use anyhow::{Context, Result, ensure};
use hadoop_yarn::types::{ApplicationId, ApplicationState};
use integration_tests::{Output, Site, program, repository, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// An application of this test's own on the cluster of the run.
pub(crate) struct Application {
    pub(crate) cluster: Cluster,
    pub(crate) site: Site,
    pub(crate) id: ApplicationId,
    /// Its page through YARN's proxy.
    pub(crate) tracking_url: String,
}

impl Application {
    /// Submits one and waits until its master leads.
    pub(crate) async fn start() -> Result<Application> {
        let (cluster, site) = (Cluster::of_this_run().await?, Site::new().await?);
        let output = cluster.run(&site, &program("maas_service")?, &["--on", "yarn", "--json"]).await?.exits(0)?;
        let lines = output.json_lines()?;
        ensure!(lines.len() == 2 && lines[0]["event"] == "submitted" && lines[1]["event"] == "running", "{output:?}");
        let text = |line: &Value, key: &str| line[key].as_str().map(str::to_string).with_context(|| format!("{line}"));
        let application = Application {
            id: text(&lines[0], "application")?.parse()?,
            tracking_url: text(&lines[1], "tracking_url")?,
            cluster,
            site,
        };
        application.leads(1).await?;
        Ok(application)
    }

    /// Waits until this attempt of it leads; gives the pid.
    pub(crate) async fn leads(&self, attempt: u64) -> Result<i32> {
        until(Duration::from_secs(30), &format!("attempt {attempt} to lead"), async || {
            let leader = self.site.node("/maas/state/leader").await?.context("none leads")?;
            let is_it = leader["attempt"] == attempt && leader["application"] == self.id.to_string();
            ensure!(is_it, "{leader}");
            Ok(i32::try_from(leader["pid"].as_i64().context("a pid")?)?)
        })
        .await
    }

    /// Kills the master that leads, as a crash would.
    pub(crate) async fn kill_master(&self, attempt: u64) -> Result<()> {
        let pid = Pid::from_raw(self.leads(attempt).await?).context("a pid")?;
        kill_process(pid, Signal::KILL)?;
        Ok(())
    }

    pub(crate) async fn deploy(&self, args: &[&str]) -> Result<Output> {
        self.cluster.run(&self.site, &program("maas_deploy")?, args).await
    }

    pub(crate) async fn service(&self, args: &[&str]) -> Result<Output> {
        self.cluster.run(&self.site, &program("maas_service")?, args).await
    }

    /// Publishes examples/mock_dga under this name and waits until so many answer.
    pub(crate) async fn add(&self, name: &str, instances: u32, memory: u32) -> Result<Output> {
        let example = repository().join("examples/mock_dga");
        let example = example.to_str().context("plain names")?;
        let (count, memory) = (instances.to_string(), memory.to_string());
        let base = format!("/user/root/models/{}", self.id);
        let mut args = vec!["-mo", "ADD", "-lmp", example, "-hmp", &base, "-n", name, "-v", "1.0"];
        args.extend(["-ni", &count, "-m", &memory]);
        self.deploy(&args).await?.exits(0)
    }

    /// Each instance's container, by the instance's id, straight from the records.
    pub(crate) async fn containers(&self) -> Result<BTreeMap<String, String>> {
        let mut containers = BTreeMap::new();
        for id in self.site.children("/maas/state/instances").await? {
            let record = self.site.node(&format!("/maas/state/instances/{id}")).await?.unwrap_or_default();
            containers.extend(record["container"].as_str().map(|container| (id, container.to_string())));
        }
        Ok(containers)
    }

    /// Stops it with its models and waits until YARN says that it has succeeded.
    pub(crate) async fn stop(&self) -> Result<()> {
        self.service(&["stop", "--with-models"]).await?.exits(0)?;
        until(Duration::from_secs(20), "the application's end", async || {
            let report = self.cluster.report(self.id).await?;
            let state = (report.state, report.final_status.to_string());
            ensure!(state == (ApplicationState::Finished, "SUCCEEDED".to_string()), "{state:?} {}", report.diagnostics);
            Ok(())
        })
        .await
    }
}
