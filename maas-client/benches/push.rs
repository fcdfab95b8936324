//! `push`: from the creation of a registration to the resolver giving it out, over a real ZooKeeper.
//!
//! Baseline, in turns with it: creation → watch event → one read of the new node, with the bare session. Goal: 2 ×.

#[path = "support/populated.rs"]
mod populated;
mod support;

use maas_client::config::Roots;
use maas_client::resolver::{Policy, Resolver};
use maas_client::tree::{Op, SharedTree};
use std::time::{Duration, Instant};

const ROUNDS: usize = 400;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for recursive in [false, true] {
            let (pushed, baseline) = measure(recursive).await;
            let ratio = pushed.as_secs_f64() / baseline.as_secs_f64();
            let name = if recursive { "push_all" } else { "push" };
            support::line(
                name,
                &format!("{}us", pushed.as_micros()),
                &format!("{}us", baseline.as_micros()),
                &format!("{ratio:.2}"),
                "<=2",
                ratio <= 2.0,
            );
        }
    });
}

/// Medians: creation to resolver, creation to bare read.
async fn measure(recursive: bool) -> (Duration, Duration) {
    let chroot = format!("/bench-push-{}-{recursive}", std::process::id());
    let roots = Roots::default();
    let runner = populated::zookeeper(&chroot).await;
    let client = populated::zookeeper(&chroot).await;
    let names = populated::names(1);
    populated::populate(&runner, &roots, &names, 1).await;
    let resolver = Resolver::new(client.clone(), roots.clone(), Policy::default());
    if recursive {
        resolver.all().await.expect("everything read");
    }
    resolver.resolve(&names[0], None).await.expect("an endpoint");
    let path = roots.registration(names[0].as_str(), "new");
    let bytes = support::registration(names[0].as_str(), "new", 4001).encode();
    let (mut pushed, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        pushed.push(seen_by_resolver(&runner, &resolver, &names[0], &path, &bytes).await);
        bare.push(seen_by_session(&runner, &client, &bytes).await);
    }
    pushed.sort();
    bare.sort();
    (pushed[ROUNDS / 2], bare[ROUNDS / 2])
}

async fn seen_by_resolver(
    runner: &SharedTree,
    resolver: &Resolver,
    name: &maas_client::model::ModelName,
    path: &str,
    bytes: &[u8],
) -> Duration {
    let count = |wanted: usize| async move {
        let mut changes = resolver.changes();
        loop {
            let model = resolver.model(name).await.expect("the model");
            if model.current().is_some_and(|version| version.slots().len() == wanted) {
                return;
            }
            changes.changed().await.expect("the resolver lives");
        }
    };
    let start = Instant::now();
    let (created, ()) = tokio::join!(runner.multi(vec![Op::create_ephemeral(path, bytes)]), count(2));
    let took = start.elapsed();
    created.expect("a registration");
    runner.multi(vec![Op::delete(path, None)]).await.expect("its deletion");
    count(1).await;
    took
}

async fn seen_by_session(runner: &SharedTree, client: &SharedTree, bytes: &[u8]) -> Duration {
    let (node, watch) = client.get_and_watch("/bare").await.expect("a watch");
    assert!(node.is_none(), "left over");
    let start = Instant::now();
    let read = async {
        watch.changed().await;
        client.get("/bare").await.expect("an answer").expect("the node")
    };
    let (created, _) = tokio::join!(runner.multi(vec![Op::create_ephemeral("/bare", bytes)]), read);
    let took = start.elapsed();
    created.expect("a node");
    runner.multi(vec![Op::delete("/bare", None)]).await.expect("its deletion");
    took
}
