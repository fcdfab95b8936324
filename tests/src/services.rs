//! A Kafka and a search server of a test's own, which it may kill and bring back.
//!
//! Run by `scripts/services`, which install what they run on. ZooKeeper has a handle of its own ([`crate::ZooKeeper`]).

use crate::clients::script;
use crate::command::Output;
use crate::programs::repository;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Child;

/// A server in a directory of its own. Dropping it ends it.
#[derive(Debug)]
pub struct Service {
    script: &'static str,
    dir: TempDir,
    /// Kafka: `HOST:PORT`; the search server: its url.
    pub address: String,
}

impl Service {
    /// Starts a broker.
    pub async fn kafka() -> Result<Service> {
        Service::start("scripts/services/kafka.sh", "MAAS_KAFKA", &[]).await
    }

    /// Starts a search server: `opensearch-2.19`, `elasticsearch-5.6`.
    pub async fn search(engine: &str) -> Result<Service> {
        Service::start("scripts/services/search.sh", "MAAS_SEARCH", &["--engine", engine]).await
    }

    async fn start(script: &'static str, address: &str, options: &[&str]) -> Result<Service> {
        let mut service = Service { script, dir: TempDir::with_prefix("maas-service-")?, address: String::new() };
        let output = service.run("start", options).await?;
        let found = output.stdout.lines().find_map(|line| line.strip_prefix(address)?.strip_prefix('='));
        service.address = found.with_context(|| format!("{script} says where it listens: {output:?}"))?.to_owned();
        Ok(service)
    }

    /// Kills it as a crash would.
    pub async fn kill(&self) -> Result<()> {
        self.run("kill9", &[]).await.map(drop)
    }

    /// Starts what was killed, where it was, with its data.
    pub async fn restart(&self) -> Result<()> {
        self.run("start", &[]).await.map(drop)
    }

    /// Lines to a topic of this broker, through Kafka's own console producer.
    pub async fn produce(&self, topic: &str, lines: &[u8]) -> Result<()> {
        let producer = "org.apache.kafka.tools.ConsoleProducer";
        let args = ["tool", producer, "--bootstrap-server", &self.address, "--topic", topic];
        script(Path::new(self.script), &args, lines).await?.exits(0).map(drop)
    }

    /// Keeps sending a numbered line each so often, through Kafka's own console producer, until the producer is dropped.
    pub fn keep_producing(
        &self,
        topic: &str,
        every: Duration,
        line: impl Fn(u64) -> String + Send + 'static,
    ) -> Result<Child> {
        let producer = "org.apache.kafka.tools.ConsoleProducer";
        let mut command = tokio::process::Command::new(repository().join(self.script));
        command
            .args(["tool", producer, "--bootstrap-server", &self.address, "--topic", topic, "--timeout", "10"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().context("can't start the producer")?;
        let mut stdin = child.stdin.take().context("standard input is piped")?;
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            for number in 0.. {
                ticks.tick().await;
                // The producer that ends closes its input.
                if stdin.write_all(format!("{}\n", line(number)).as_bytes()).await.is_err() {
                    return;
                }
            }
        });
        Ok(child)
    }

    /// Makes a topic on this broker.
    pub async fn make_topic(&self, topic: &str, partitions: u32) -> Result<()> {
        let (tool, partitions) = ("org.apache.kafka.tools.TopicCommand", partitions.to_string());
        let args = ["tool", tool, "--bootstrap-server", &self.address, "--create", "--topic", topic];
        let args = [&args[..], &["--partitions", &partitions]].concat();
        script(Path::new(self.script), &args, b"").await?.exits(0).map(drop)
    }

    async fn run(&self, verb: &str, more: &[&str]) -> Result<Output> {
        let dir = self.dir.path().to_str().context("temporary directories have plain names")?;
        script(Path::new(self.script), &[&[verb, "--dir", dir], more].concat(), b"").await?.exits(0)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let script = repository().join(self.script);
        // A failure here would only hide the test's own; the directory goes with it.
        let _ = Command::new(script).args(["stop", "--dir"]).arg(self.dir.path()).stderr(Stdio::null()).status();
    }
}
