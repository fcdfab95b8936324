//! `intake`: requests a second through the queue to the desired state, with the real master.
//!
//! Baseline: a transaction of the same shape (delete the queue node, write a node at its version, create the outcome, check a
//! version), one after another in one session. Nothing is started: the machine that the master is told of is too small.
//! Goal: half as many a second.

mod support;

use anyhow::{Result, ensure};
use integration_tests::{Master, Site, until};
use serde_json::json;
use std::time::{Duration, Instant};
use zookeeper_client::{Acls, CreateMode};

const REQUESTS: u32 = 2000;

#[tokio::main]
async fn main() -> Result<()> {
    let (measured, baseline) = (intake().await?, transactions().await?);
    let ratio = measured / baseline;
    support::line(
        "intake",
        &format!("{measured:.0}/s"),
        &format!("{baseline:.0}/s"),
        &format!("{ratio:.2}"),
        ">=0.5",
        ratio >= 0.5,
    );
    Ok(())
}

fn request(number: u32) -> Vec<u8> {
    let (name, path) = (format!("m{}", number % 20), "/metron/m");
    json!({"name":name,"version":"1.0","numInstances":1,"memory":64,"action":"ADD","path":path})
        .to_string()
        .into_bytes()
}

async fn intake() -> Result<f64> {
    let site = Site::new().await?;
    let mut options = site.options();
    options.capacity = "memory=32,vcores=1".to_string();
    site.model("store/metron/m")?.serves("")?;
    let master = Master::start(&options).await?;
    // Filled while the master can't see it, so that the whole queue lies there when the clock starts.
    master.signal(rustix::process::Signal::STOP)?;
    fill(&site, "/maas/queue").await?;
    master.signal(rustix::process::Signal::CONT)?;
    let started = Instant::now();
    until(Duration::from_secs(120), "an empty queue", async || {
        let left = site.children("/maas/queue").await?;
        ensure!(left.is_empty(), "{} left", left.len());
        Ok(())
    })
    .await?;
    Ok(f64::from(REQUESTS) / started.elapsed().as_secs_f64())
}

async fn fill(site: &Site, queue: &str) -> Result<()> {
    let open = Acls::anyone_all();
    for number in 0..REQUESTS {
        site.zk
            .create(&format!("{queue}/qn-"), &request(number), &CreateMode::PersistentSequential.with_acls(open))
            .await?;
    }
    Ok(())
}

async fn transactions() -> Result<f64> {
    let site = Site::new().await?;
    let create = CreateMode::Persistent.with_acls(Acls::anyone_all());
    for path in ["/queue", "/models", "/requests", "/epoch"] {
        site.zk.create(path, b"", &create).await?;
    }
    for number in 0..20 {
        site.zk.create(&format!("/models/m{number}"), &request(number), &create).await?;
    }
    fill(&site, "/queue").await?;
    let mut queue = site.children("/queue").await?;
    queue.sort();
    let started = Instant::now();
    for (number, child) in (0..).zip(&queue) {
        let path = format!("/queue/{child}");
        let (data, _) = site.zk.get_data(&path).await?;
        let mut writer = site.zk.new_multi_writer();
        writer.add_delete(&path, None)?;
        writer.add_set_data(&format!("/models/m{}", number % 20), &data, Some(number / 20))?;
        writer.add_create(&format!("/requests/{child}"), &data, &create)?;
        writer.add_check_version("/epoch", 0)?;
        writer.commit().await?;
    }
    Ok(f64::from(REQUESTS) / started.elapsed().as_secs_f64())
}
