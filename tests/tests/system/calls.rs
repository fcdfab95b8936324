//! Callers while instances come and go: no call fails as long as one healthy instance is left.

use anyhow::{Context, Result, ensure};
use integration_tests::{Site, curator};
use maas_client::call::{Arguments, Call, Caller, Policy};
use maas_client::model::ModelName;
use maas_client::resolver::{self, Resolver};
use maas_client::tree::SharedTree;
use maas_client::zk::{ZkOptions, ZkTree};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A caller of a client program's: its own session, our library, defaults.
async fn caller(site: &Site) -> Result<Caller> {
    let tree: SharedTree = ZkTree::connect(ZkOptions::new(&site.connect)).await?;
    let roots = maas_client::open(&*tree, maas_client::config::DEFAULT_CONFIG_PATH).await?;
    Ok(Caller::new(Resolver::new(tree, roots, resolver::Policy::default()), Policy::default())?)
}

fn call(name: &str, number: u64) -> Result<Call> {
    let Value::Object(arguments) = json!({"host": "yahoo.com", "number": number}) else { unreachable!("an object") };
    Ok(Call { arguments: Arguments::Named(arguments), ..Call::new(name.parse::<ModelName>()?) })
}

#[tokio::test(flavor = "multi_thread")]
async fn three_thousand_calls_while_instances_are_killed_and_removed_all_succeed() -> Result<()> {
    let site = Site::new().await?;
    let mut master = site.master().await?;
    let m = site.model("m")?.serves("")?;
    site.add(&m, "m", "1.0", 4).await?;
    site.answering("m", 4).await?;
    let caller = caller(&site).await?;
    let (done, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let worker = || {
        let (caller, done, calls) = (caller.clone(), Arc::clone(&done), Arc::clone(&calls));
        tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) || calls.load(Ordering::Relaxed) < 3000 {
                let number = calls.fetch_add(1, Ordering::Relaxed);
                let answer = caller.call(&call("m", number)?).await.with_context(|| format!("call {number}"))?;
                ensure!(answer.value["is_malicious"] == "legit", "{:?}", answer.body);
            }
            anyhow::Ok(())
        })
    };
    let workers = [worker(), worker(), worker(), worker()];

    let kill = |part: &str| -> Result<()> {
        let all = site.processes();
        let victim = all.iter().find(|process| process.command.contains(part)).with_context(|| format!("no {part}"))?;
        Ok(kill_process(Pid::from_raw(i32::try_from(victim.pid)?).context("a pid")?, Signal::KILL)?)
    };
    kill("test_model")?;
    site.answering("m", 4).await?;
    site.deploy(&["-mo", "SCALE", "-n", "m", "-v", "1.0", "-ni", "2", "--wait", "60"]).await?.exits(0)?;
    kill(" run ")?;
    site.deploy(&["-mo", "SCALE", "-n", "m", "-v", "1.0", "-ni", "4", "--wait", "60"]).await?.exits(0)?;
    site.answering("m", 4).await?;
    master.kill().await?;
    kill(" guard")?;
    master = site.master().await?;
    site.answering("m", 4).await?;
    site.deploy(&["-mo", "REMOVE", "-n", "m", "-v", "1.0", "-ni", "3", "--wait", "60"]).await?.exits(0)?;
    site.answering("m", 1).await?;

    done.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await??;
    }
    ensure!(calls.load(Ordering::Relaxed) >= 3000);
    master.terminate().await?;
    site.no_orphans(&["m"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn our_resolver_finds_and_calls_what_curator_registered() -> Result<()> {
    let site = Site::new().await?;
    let _master = site.master().await?;
    let m = site.model("m")?.serves("")?;
    site.add(&m, "m", "1.0", 1).await?;
    let url = site.answering("m", 1).await?[0].url().to_string();
    curator(&site.connect, &["register", "theirs", "9.0", "5", &url], "").await?;
    curator(&site.connect, &["register", "theirs", "10.0", "6", &url], "").await?;
    let answer = caller(&site).await?.call(&call("theirs", 1)?).await?;
    assert_eq!((answer.model.version.as_str(), answer.instance.as_ref()), ("10.0", "6"));
    Ok(())
}
