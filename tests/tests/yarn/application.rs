//! A service that was submitted, and its master.

use crate::cluster::Cluster;
use anyhow::{Context, Result, ensure};
use hadoop_yarn::types::{ApplicationId, ApplicationState};
use integration_tests::{ModelDir, Output, Site, get, program, repository, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// So many lines of a master's log are shown where it did not do what it was told.
const LAST_LINES: usize = 30;

/// An application of this test's own. It is killed when it is dropped before it was stopped.
pub(crate) struct Application {
    pub(crate) cluster: Cluster,
    pub(crate) site: Site,
    pub(crate) id: ApplicationId,
    /// Its page through YARN's proxy.
    pub(crate) tracking_url: String,
    pub(crate) is_over: bool,
}

impl Drop for Application {
    fn drop(&mut self) {
        if !self.is_over {
            self.cluster.kill_blocking(self.id);
        }
    }
}

impl Application {
    /// Submits one to the shared cluster and waits until its master leads.
    pub(crate) async fn start() -> Result<Application> {
        Application::start_on(Cluster::shared().await?, Site::new().await?).await
    }

    /// The same on this cluster, in this world.
    pub(crate) async fn start_on(cluster: Cluster, site: Site) -> Result<Application> {
        let application = Application::submit(cluster, site).await?;
        application.leads(1).await?;
        Ok(application)
    }

    /// Submits one and waits until YARN says that it runs.
    pub(crate) async fn submit(cluster: Cluster, site: Site) -> Result<Application> {
        let output = cluster.run(&site, &program("maas_service")?, &["--on", "yarn", "--json"]).await?.exits(0)?;
        let lines = output.json_lines()?;
        ensure!(lines.len() == 2 && lines[0]["event"] == "submitted" && lines[1]["event"] == "running", "{output:?}");
        let text = |line: &Value, key: &str| line[key].as_str().map(str::to_string).with_context(|| format!("{line}"));
        Ok(Application {
            id: text(&lines[0], "application")?.parse()?,
            tracking_url: text(&lines[1], "tracking_url")?,
            cluster,
            site,
            is_over: false,
        })
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

    /// Publishes examples/mock_dga under this name.
    pub(crate) async fn add(&self, name: &str, instances: u32, memory: u32) -> Result<Output> {
        self.add_example(name, &["-ni", &instances.to_string(), "-m", &memory.to_string()]).await
    }

    /// The same with any options.
    pub(crate) async fn add_example(&self, name: &str, options: &[&str]) -> Result<Output> {
        let example = repository().join("examples/mock_dga");
        let example = example.to_str().context("plain names")?;
        let base = format!("/user/{}/models/{}", self.cluster.user(), self.id);
        let add = ["-mo", "ADD", "-lmp", example, "-hmp", &base, "-n", name, "-v", "1.0"];
        self.deploy(&[&add[..], options].concat()).await?.exits(0)
    }

    /// Publishes a version 1 of this model with more options, and says how that ended.
    pub(crate) async fn add_as(&self, name: &str, model: &ModelDir, options: &[&str]) -> Result<Output> {
        let base = format!("/user/{}/models/{}", self.cluster.user(), self.id);
        let add = ["-mo", "ADD", "-lmp", model.arg(), "-hmp", &base, "-n", name, "-v", "1"];
        self.deploy(&[&add[..], options].concat()).await
    }

    /// A version as STATUS shows it.
    pub(crate) async fn status(&self, name: &str) -> Result<Value> {
        let output = self.deploy(&["-mo", "STATUS", "-n", name, "--json"]).await?.exits(0)?;
        let all = output.json()?;
        all.get(0).cloned().with_context(|| format!("no {name}: {all}"))
    }

    /// Waits until a version is so.
    pub(crate) async fn shows(&self, name: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
        until(Duration::from_secs(60), what, async || {
            let status = self.status(name).await?;
            ensure!(is_so(&status), "{status}");
            Ok(status)
        })
        .await
    }

    /// Wants none of a version any more.
    pub(crate) async fn withdraw(&self, name: &str, version: &str) -> Result<()> {
        let args = ["-mo", "REMOVE", "-n", name, "-v", version, "-ni", "99", "--wait", "60"];
        self.deploy(&args).await?.exits(0)?;
        Ok(())
    }

    /// Waits until nothing lies in HDFS of what was put there for an application.
    pub(crate) async fn nothing_is_staged_of(&self, id: ApplicationId) -> Result<()> {
        let port = self.cluster.port("nn.web")?;
        let url = format!("http://127.0.0.1:{port}/webhdfs/v1/user/root/.maas/{id}?op=GETFILESTATUS");
        until(Duration::from_secs(20), "an empty staging directory", async || {
            let (status, body) = get(&url).await?;
            ensure!(status == 404, "{status} {body}");
            Ok(())
        })
        .await
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

    /// The end of each attempt's log, as far as the nodes still have it.
    fn last_words(&self) -> String {
        let inside = |directory: &Path| -> Vec<PathBuf> {
            std::fs::read_dir(directory).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect()
        };
        let mut words = String::new();
        for node in inside(Path::new(&self.cluster.dir)) {
            for container in inside(&node.join("logs").join(self.id.to_string())) {
                let log = std::fs::read_to_string(container.join("maas_master.stderr")).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
                    words.extend(["\n", line]);
                }
            }
        }
        if words.is_empty() { "nothing that is still there".to_string() } else { words }
    }

    /// Stops it with its models and waits until YARN says that it has succeeded.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        let stopped = self.service(&["stop", "--with-models"]).await?.exits(0);
        stopped.with_context(|| format!("what its master said last: {}", self.last_words()))?;
        until(Duration::from_secs(20), "the application's end", async || {
            let report = self.cluster.report(self.id).await?;
            let state = (report.state, report.final_status.to_string());
            ensure!(state == (ApplicationState::Finished, "SUCCEEDED".to_string()), "{state:?} {}", report.diagnostics);
            Ok(())
        })
        .await?;
        self.is_over = true;
        Ok(())
    }
}
