//! One test's world: its directory, its root in ZooKeeper, and what is asked of the programs there.

use crate::command::{Output, run};
use crate::master::{Master, MasterOptions};
use crate::model_dir::ModelDir;
use crate::processes::{Process, of_site};
use crate::programs::program;
use crate::registrations::{Registered, read};
use crate::wait::until;
use crate::zookeeper::shared_zookeeper;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use zookeeper_client::{Acls, Client, CreateMode};

/// One test's world. Dropping it kills every process that belongs to it.
#[derive(Debug)]
pub struct Site {
    dir: Arc<TempDir>,
    /// Connect string with this test's root.
    pub connect: String,
    /// A client of the test's own, at this test's root.
    pub zk: Client,
}

impl Site {
    /// A root of its own on the shared server.
    pub async fn new() -> Result<Site> {
        Site::on(&shared_zookeeper()?).await
    }

    /// A root of its own on this server.
    pub async fn on(server: &str) -> Result<Site> {
        let root = format!("/test-{}", uuid::Uuid::new_v4());
        let client = Client::connect(server).await.with_context(|| format!("no ZooKeeper at {server}"))?;
        client.create(&root, b"", &CreateMode::Persistent.with_acls(Acls::anyone_all())).await?;
        let Ok(zk) = client.chroot(root.clone()) else { bail!("{root} is an absolute path") };
        Ok(Site { dir: Arc::new(TempDir::with_prefix("maas-test-")?), connect: format!("{server}{root}"), zk })
    }

    /// The same world with a new client: for after an outage that outlasted the session of the first.
    pub async fn reconnected(&self, server: &str) -> Result<Site> {
        let root = self.connect.find('/').map_or("", |at| &self.connect[at..]);
        let zk = until(Duration::from_secs(20), "a new session", async || Ok(Client::connect(server).await?)).await?;
        let Ok(zk) = zk.chroot(root.to_string()) else { bail!("{root} is an absolute path") };
        Ok(Site { dir: Arc::clone(&self.dir), connect: self.connect.clone(), zk })
    }

    /// A path below this test's directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A new model directory.
    pub fn model(&self, name: &str) -> Result<ModelDir> {
        ModelDir::new(self.path(name))
    }

    /// Options of a usual master: room for many models, short sessions.
    pub fn options(&self) -> MasterOptions {
        MasterOptions {
            connect: self.connect.clone(),
            home: self.dir.path().to_path_buf(),
            state_dir: self.path("state"),
            store: self.path("store"),
            crash_at: None,
            session_timeout_ms: 2000,
            capacity: "memory=1000000,vcores=10000".to_string(),
            args: Vec::new(),
            env: Vec::new(),
        }
    }

    /// A usual master that leads.
    pub async fn master(&self) -> Result<Master> {
        Master::start(&self.options()).await
    }

    /// Runs `maas_deploy` on this test's root.
    pub async fn deploy(&self, args: &[&str]) -> Result<Output> {
        self.deploy_with(args, b"").await
    }

    /// Runs `maas_deploy` with something on its standard input.
    pub async fn deploy_with(&self, args: &[&str], input: &[u8]) -> Result<Output> {
        run(&program("maas_deploy")?, args, self.dir.path(), &[("MAAS_ZK", &self.connect)], input).await
    }

    /// Runs `maas_service` with a subcommand on this test's root.
    pub async fn service(&self, args: &[&str]) -> Result<Output> {
        run(&program("maas_service")?, args, self.dir.path(), &[("MAAS_ZK", &self.connect)], b"").await
    }

    /// Runs any program in this test's world.
    pub async fn run(&self, program: &Path, args: &[&str]) -> Result<Output> {
        self.run_with(program, args, &[]).await
    }

    /// The same with more environment.
    pub async fn run_with(&self, program: &Path, args: &[&str], variables: &[(&str, &str)]) -> Result<Output> {
        run(program, args, self.dir.path(), variables, b"").await
    }

    /// Publishes a model and waits until its instances are ready.
    pub async fn add(&self, model: &ModelDir, name: &str, version: &str, instances: u32) -> Result<Output> {
        let count = instances.to_string();
        let args = [
            "-mo",
            "ADD",
            "-n",
            name,
            "-v",
            version,
            "-ni",
            &count,
            "-m",
            "64",
            "-lmp",
            model.arg(),
            "-hmp",
            "/models",
            "--wait",
            "60",
        ];
        self.deploy(&args).await?.exits(0)
    }

    /// What stands in the registry for a model.
    pub async fn registered(&self, name: &str) -> Result<Vec<Registered>> {
        read(&self.zk, name).await
    }

    /// Waits until exactly `count` registrations of a model stand, each answering a call of `apply`.
    pub async fn answering(&self, name: &str, count: usize) -> Result<Vec<Registered>> {
        self.answering_within(Duration::from_secs(60), name, count).await
    }

    /// The same with another bound.
    pub async fn answering_within(&self, bound: Duration, name: &str, count: usize) -> Result<Vec<Registered>> {
        until(bound, &format!("{count} answering endpoints of {name}"), async || {
            let found = self.registered(name).await?;
            if found.len() != count {
                bail!("{} registered: {found:?}", found.len());
            }
            for one in &found {
                let url = format!("{}/apply?host=yahoo.com", one.url());
                let (status, body) = crate::http::get(&url).await?;
                if status != 200 || serde_json::from_str::<Value>(&body).is_err() {
                    bail!("{url}: {status} {body}");
                }
            }
            Ok(found)
        })
        .await
    }

    /// Reads a JSON node below this test's root; `None` when there is none.
    pub async fn node(&self, path: &str) -> Result<Option<Value>> {
        match self.zk.get_data(path).await {
            Ok((data, _)) => Ok(Some(serde_json::from_slice(&data).with_context(|| format!("{path} is no JSON"))?)),
            Err(zookeeper_client::Error::NoNode) => Ok(None),
            Err(error) => Err(error).with_context(|| path.to_string()),
        }
    }

    /// Names of a node's children; none when it is not there.
    pub async fn children(&self, path: &str) -> Result<Vec<String>> {
        match self.zk.list_children(path).await {
            Ok(mut names) => {
                names.sort();
                Ok(names)
            }
            Err(zookeeper_client::Error::NoNode) => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| path.to_string()),
        }
    }

    /// The wanted number of a version, straight from ZooKeeper.
    pub async fn wanted(&self, name: &str, version: &str) -> Result<Option<u64>> {
        let node = self.node(&format!("/maas/state/models/{name}/{version}")).await?;
        Ok(node.and_then(|desired| desired["count"].as_u64()))
    }

    /// All living processes of this test.
    pub fn processes(&self) -> Vec<Process> {
        of_site(self.dir.path())
    }

    /// Ids of the instances that have a living process of the model's.
    pub fn running_instances(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.processes().into_iter().filter_map(|process| process.instance).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Waits until the living model processes are exactly those of the registered instances of these models.
    pub async fn no_orphans(&self, models: &[&str]) -> Result<()> {
        until(Duration::from_secs(60), "no process beside those registered", async || {
            let mut registered = Vec::new();
            for name in models {
                registered.extend(self.registered(name).await?.into_iter().map(|one| one.id));
            }
            registered.sort();
            let running = self.running_instances();
            if running != registered {
                bail!("running {running:?}, registered {registered:?}");
            }
            Ok(())
        })
        .await
    }

    /// Waits until no process of this test is left.
    pub async fn empty(&self) -> Result<()> {
        until(Duration::from_secs(30), "no process left", async || match self.processes() {
            none if none.is_empty() => Ok(()),
            left => bail!("{left:?}"),
        })
        .await
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // A reconnected one leaves that to the first.
        if Arc::strong_count(&self.dir) > 1 {
            return;
        }
        // Twice, because what is killed first may have started something meanwhile.
        for _ in 0..2 {
            for process in self.processes() {
                if let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) {
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
        }
    }
}
