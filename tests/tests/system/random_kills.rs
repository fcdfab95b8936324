//! Many requests with the master killed at random: in the end exactly what was asked for runs, each answers, nothing else.

use anyhow::{Result, ensure};
use integration_tests::{Master, Site, kazoo, until};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Sends `count` requests for a few models from a foreign client while the master is killed again and again.
async fn requests_under_fire(count: usize, seed: u64) -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let site = Site::new().await?;
    let names = ["a", "b", "c", "d"];
    for name in names {
        site.model(&format!("store/metron/{name}"))?.serves("")?;
    }
    let mut wanted: BTreeMap<&str, u64> = BTreeMap::new();
    let mut lines = Vec::new();
    for _ in 0..count {
        let name = names[random.random_range(0..names.len())];
        let number = random.random_range(1..=3u64);
        let now = wanted.entry(name).or_default();
        // A small machine carries a few of each; REMOVE of more than there is takes all.
        let adds = *now + number <= 5 && random.random_bool(0.6);
        *now = if adds { *now + number } else { now.saturating_sub(number) };
        let (action, memory, path) =
            if adds { ("ADD", 64, json!(format!("/metron/{name}"))) } else { ("REMOVE", 0, json!(null)) };
        let message =
            json!({"name":name,"version":"1.0","numInstances":number,"memory":memory,"action":action,"path":path});
        lines.push(json!(message.to_string()).to_string());
    }
    let options = site.options();
    let mut master = Master::start(&options).await?;
    let mut kills = 0;
    for batch in lines.chunks(count.div_ceil((count / 20).max(8))) {
        kazoo(&site.connect, &["offer"], &batch.join("\n")).await?;
        let pause = Duration::from_millis(random.random_range(0..400));
        tokio::time::sleep(pause).await;
        master.kill().await?;
        kills += 1;
        master = Master::spawn(&options).await?;
    }
    until(Duration::from_secs(120), "an empty queue", async || {
        let left = site.children("/maas/queue").await?;
        ensure!(left.is_empty(), "{} left", left.len());
        Ok(())
    })
    .await?;
    let requests = site.children("/maas/state/requests").await?;
    ensure!(requests.len() == count, "{} outcomes of {count} requests after {kills} kills", requests.len());
    for name in names {
        let expected = wanted.get(name).copied().unwrap_or(0);
        let now = site.wanted(name, "1.0").await?.unwrap_or(0);
        ensure!(now == expected, "seed {seed}: {name} has {now} wanted, asked for were {expected}");
        site.answering_within(Duration::from_secs(120), name, usize::try_from(expected)?).await?;
    }
    site.no_orphans(&names).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_requests_with_the_master_killed_at_random() -> Result<()> {
    requests_under_fire(100, 7).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: scripts/test.sh soak"]
async fn soak_a_thousand_requests_with_the_master_killed_at_random() -> Result<()> {
    for seed in 0..10 {
        requests_under_fire(100, rand::random::<u64>() ^ seed).await?;
    }
    requests_under_fire(1000, 11).await
}
