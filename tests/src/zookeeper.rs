//! Real ZooKeeper servers: the shared one of the run, and ones of a test's own that it may kill.

use crate::clients::script;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const SCRIPT: &str = "scripts/services/zookeeper.sh";

/// The server of this test run, `HOST:PORT`.
pub fn shared_zookeeper() -> Result<String> {
    std::env::var("MAAS_TEST_ZK").ok().filter(|value| !value.is_empty()).context(
        "MAAS_TEST_ZK is not set; run scripts/test.sh system, or start one with scripts/services/zookeeper.sh start and export MAAS_TEST_ZK=HOST:PORT",
    )
}

/// Servers of a test's own.
#[derive(Debug)]
pub struct ZooKeeper {
    dir: TempDir,
    /// `HOST:PORT[,HOST:PORT…]`
    pub connect: String,
}

impl ZooKeeper {
    /// Starts one server, or an ensemble of three.
    pub async fn start(servers: u8) -> Result<ZooKeeper> {
        let dir = TempDir::with_prefix("maas-zookeeper-")?;
        let mut zookeeper = ZooKeeper { dir, connect: String::new() };
        zookeeper.run("start", &["--servers", &servers.to_string()]).await?;
        Ok(zookeeper)
    }

    /// Kills every server as a crash would.
    pub async fn kill(&mut self) -> Result<()> {
        self.run("kill9", &[]).await
    }

    /// Kills one server of an ensemble.
    pub async fn kill_one(&mut self, server: u8) -> Result<()> {
        self.run("kill9", &["--server", &server.to_string()]).await
    }

    /// Starts what was killed, on the same ports, with its data.
    pub async fn restart(&mut self) -> Result<()> {
        self.run("start", &[]).await
    }

    /// Process ids of the servers, by the files that the script keeps.
    pub fn pids(&self) -> Vec<u32> {
        (1..=3u8)
            .filter_map(|server| std::fs::read_to_string(self.dir.path().join(server.to_string()).join("pid")).ok())
            .filter_map(|pid| pid.trim().parse().ok())
            .collect()
    }

    async fn run(&mut self, verb: &str, more: &[&str]) -> Result<()> {
        let dir = self.dir.path().to_str().context("temporary directories have plain names")?.to_string();
        let args = [&[verb, "--dir", &dir], more].concat();
        let output = script(Path::new(SCRIPT), &args, b"").await?.exits(0)?;
        if let Some(connect) = output.stdout.lines().find_map(|line| line.strip_prefix("MAAS_ZK=")) {
            self.connect = connect.to_string();
        }
        Ok(())
    }
}

impl Drop for ZooKeeper {
    fn drop(&mut self) {
        let script = crate::programs::repository().join(SCRIPT);
        // A failure here would only hide the test's own; the directory goes with it.
        let _ = Command::new(script).args(["stop", "--dir"]).arg(self.dir.path()).stderr(Stdio::null()).status();
    }
}
