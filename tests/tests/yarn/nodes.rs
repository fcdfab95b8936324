//! Two nodes, one with GPUs: where instances are put, what a full cluster does, and the loss of each daemon.
//!
//! `scripts/test.sh yarn` starts it: nodes of 4096 MB, two GPUs on nm1, no recovery on nm2, nodes lost after 60 s,
//! asks that name nodes with their ports. One test at a time has it, as daemons are killed and its room is used up.

use crate::application::Application;
use crate::cluster::Cluster;
use crate::troubles::calls;
use anyhow::{Context, Result, bail, ensure};
use integration_tests::{Registered, Site, get, until};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard};

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

async fn alone() -> Result<(Application, MutexGuard<'static, ()>)> {
    let guard = ONE_AT_A_TIME.lock().await;
    let application = Application::start_on(Cluster::of_two_nodes().await?, Site::new().await?).await?;
    Ok((application, guard))
}

impl Application {
    /// Which node a process of a container runs on: `nm1` or `nm2`.
    fn node_of(&self, pid: impl std::fmt::Display) -> Result<&'static str> {
        let environment = std::fs::read(format!("/proc/{pid}/environ"))?;
        let environment = String::from_utf8_lossy(&environment);
        let is_on = |node: &&&str| environment.contains(&format!("LOCAL_DIRS={}/{node}/", self.cluster.dir));
        ["nm1", "nm2"].iter().find(is_on).copied().with_context(|| format!("{pid} is in no container"))
    }

    /// The processes of all containers of a node.
    fn processes_on(&self, node: &str) -> Result<Vec<i32>> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if self.node_of(pid).is_ok_and(|on| on == node) {
                all.push(pid);
            }
        }
        Ok(all)
    }

    /// The nodes of a model's instances, by their runners.
    async fn nodes_of(&self, name: &str) -> Result<BTreeSet<&'static str>> {
        let mut nodes = BTreeSet::new();
        for one in self.site.registered(name).await? {
            let claim =
                self.site.node(&format!("/maas/state/instances/{}/runner", one.id)).await?.context("a claim")?;
            nodes.insert(self.node_of(&claim["pid"])?);
        }
        Ok(nodes)
    }

    /// The node without the master.
    async fn other_node(&self) -> Result<&'static str> {
        Ok(if self.node_of(self.leads(1).await?)? == "nm1" { "nm2" } else { "nm1" })
    }

    /// Adds two instances, one of them at least on this node: a node that is slow to give one is not waited for.
    async fn add_with_one_on(&self, node: &str) -> Result<Vec<Registered>> {
        for _ in 0..20 {
            self.add("dga", 2, 256).await?;
            let all = self.site.answering("dga", 2).await?;
            if self.nodes_of("dga").await?.contains(node) {
                return Ok(all);
            }
            self.withdraw("dga", "1.0").await?;
        }
        bail!("no instance comes to {node}")
    }

    async fn scale(&self, name: &str, count: u32) -> Result<Vec<Registered>> {
        let wanted = count.to_string();
        self.deploy(&["-mo", "SCALE", "-n", name, "-v", "1.0", "-ni", &wanted]).await?.exits(0)?;
        self.site.answering(name, usize::try_from(count)?).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_asks_for_a_gpu_runs_where_there_are_some() -> Result<()> {
    let (mut application, _guard) = alone().await?;
    application.add_example("dga", &["-ni", "3", "-m", "128", "--gpus", "1"]).await?;
    application.site.answering("dga", 2).await?;
    ensure!(application.nodes_of("dga").await? == BTreeSet::from(["nm1"]), "they run on nm1");
    let status = application
        .shows("dga", "a third that waits for a GPU", |status| {
            status["reason"].as_str().is_some_and(|reason| reason.contains("yarn.io/gpu"))
        })
        .await?;
    ensure!(status["reason_code"] == "waiting_capacity", "{status}");
    application.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_of_a_version_are_spread_over_the_nodes() -> Result<()> {
    let (mut application, _guard) = alone().await?;
    // Each of three models has one on each node; without the rule the scheduler fills the node that it hears of first.
    for name in ["one", "two", "three"] {
        application.add(name, 2, 128).await?;
        application.site.answering(name, 2).await?;
        let nodes = application.nodes_of(name).await?;
        ensure!(nodes == BTreeSet::from(["nm1", "nm2"]), "{name} is on {nodes:?} only");
    }
    application.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_chooses_nodes() -> Result<()> {
    let (mut application, _guard) = alone().await?;
    let label = application.other_node().await?;
    let node = format!("localhost:{}", application.cluster.port(&format!("{label}.rpc"))?);
    let admin = async |args: &[&str]| {
        let class = "org.apache.hadoop.yarn.client.cli.RMAdminCLI";
        application.cluster.java(&application.site, &[], class, args).await?.exits(0)
    };
    admin(&["-addToClusterNodeLabels", "gpu(exclusive=true)"]).await?;
    admin(&["-replaceLabelsOnNode", &format!("{node}=gpu")]).await?;
    let labelled = async {
        application.add_example("labelled", &["-ni", "2", "-m", "128", "--label", "gpu"]).await?;
        application.site.answering("labelled", 2).await?;
        ensure!(application.nodes_of("labelled").await? == BTreeSet::from([label]), "they run on {label}");
        anyhow::Ok(())
    }
    .await;
    // The next test finds the nodes as they were.
    admin(&["-replaceLabelsOnNode", &format!("{node}=")]).await?;
    labelled?;
    application.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_forty_asked_with_room_for_ten_ten_run_and_a_smaller_model_is_not_held_up() -> Result<()> {
    let (mut application, _guard) = alone().await?;
    // Five on each node of 4096 MB, one of which has the master's 512, too.
    application.add("big", 40, 704).await?;
    let waits = |status: &serde_json::Value| status["ready"] == 10 && status["reason_code"] == "waiting_capacity";
    let status = application.shows("big", "ten that run while the others wait", waits).await?;
    let reason = status["reason"].as_str().unwrap_or_default();
    ensure!(status["state"] == "Degraded" && reason.contains("704 MB"), "{status}");
    for (memory, code, words) in
        [("704", 5, "would wait: needs 704 MB"), ("64", 0, "fits now"), ("9999", 3, "largest allowed")]
    {
        let plan = application.deploy(&["plan", "-n", "another", "-v", "1.0", "-m", memory, "-ni", "1"]).await?;
        ensure!(plan.exits(code)?.stdout.contains(words), "a plan of {memory} MB: {words}");
    }
    application.add("small", 1, 64).await?;
    application.site.answering("small", 1).await?;
    let ready: Vec<String> = application.site.registered("big").await?.into_iter().map(|one| one.id).collect();
    application.deploy(&["-mo", "REMOVE", "-n", "big", "-v", "1.0", "-ni", "30"]).await?.exits(0)?;
    application
        .shows("big", "ten wanted and ready", |status| status["state"] == "Ready" && status["desired"] == 10)
        .await?;
    let left: Vec<String> = application.site.registered("big").await?.into_iter().map(|one| one.id).collect();
    ensure!(left == ready, "those that waited go first: {ready:?} {left:?}");
    application.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_manager_and_a_node_manager_with_recovery_that_restart_change_nothing() -> Result<()> {
    let (mut application, _guard) = alone().await?;
    application.add("dga", 2, 256).await?;
    application.site.answering("dga", 2).await?;
    let before = application.containers().await?;
    for (daemon, count) in [("rm", 3), ("nm1", 4)] {
        application.cluster.kill_daemon(daemon).await?;
        application.cluster.restart().await?;
        application.scale("dga", count).await?;
        let now = application.containers().await?;
        ensure!(before.iter().all(|(id, container)| now.get(id) == Some(container)), "{daemon}: {before:?} {now:?}");
    }
    application.leads(1).await?;
    application.stop().await
}

/// What ran there is lost to YARN, which says so as soon as the node is back.
#[tokio::test(flavor = "multi_thread")]
async fn what_ran_on_a_node_manager_without_recovery_is_replaced() -> Result<()> {
    let (mut application, _guard) = alone().await?;
    // The master shall be on the other node; YARN's scheduler chooses.
    for _ in 0..10 {
        if application.other_node().await? == "nm2" {
            break;
        }
        application.stop().await?;
        application = Application::start_on(Cluster::of_two_nodes().await?, Site::new().await?).await?;
    }
    application.add_with_one_on("nm2").await?;
    let before = application.containers().await?;
    let stay = if application.nodes_of("dga").await?.len() == 2 { 1 } else { 0 };
    application.cluster.kill_daemon("nm2").await?;
    application.cluster.restart().await?;
    until(Duration::from_secs(60), "two that answer, and only what was on nm2 replaced", async || {
        application.site.answering_within(Duration::ZERO, "dga", 2).await?;
        let now = application.containers().await?;
        let kept = before.iter().filter(|(id, container)| now.get(*id) == Some(container)).count();
        ensure!(kept == stay && now.len() == 2, "{before:?} {now:?}");
        Ok(())
    })
    .await?;
    application.leads(1).await?;
    application.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_lost_for_good_is_made_up_for_on_the_other() -> Result<()> {
    let (mut application, _guard) = alone().await?;
    let lost = application.other_node().await?;
    let all = application.add_with_one_on(lost).await?;
    let begun = Instant::now();
    application.cluster.kill_daemon(lost).await?;
    for pid in application.processes_on(lost)? {
        // Some of them end with the others.
        let _ = rustix::process::Pid::from_raw(pid)
            .map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL));
    }
    let dead = until(Duration::from_secs(5), "one that is gone", async || {
        let mut dead = Vec::new();
        for one in &all {
            if get(one.url()).await.is_err() {
                dead.push(one.url().to_string());
            }
        }
        ensure!(!dead.is_empty(), "all answer: {all:?}");
        Ok(dead)
    })
    .await?;
    let replaced = until(Duration::from_secs(60), "two that answer", async || {
        let now = application.site.answering_within(Duration::ZERO, "dga", 2).await?;
        if now.iter().any(|one| dead.contains(&one.url().to_string())) {
            bail!("{dead:?} is still registered: {now:?}");
        }
        Ok(begun.elapsed())
    })
    .await;
    // The next test finds both nodes.
    application.cluster.restart().await?;
    let replaced = replaced?;
    // YARN itself would need its liveness interval, 60 s here, or more: only the master's own look is as quick as this.
    ensure!(replaced <= Duration::from_secs(30), "replaced after {replaced:?}");
    let stop = Arc::new(AtomicBool::new(true));
    let urls = application.site.registered("dga").await?.iter().map(|one| one.url().to_string()).collect();
    calls(urls, stop.clone()).await??;
    stop.store(true, Ordering::Relaxed);
    application.stop().await
}
