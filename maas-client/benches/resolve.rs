//! `resolve`: an endpoint of one of many models, by name and random choice, and the very first look-up of a name.
//!
//! Goals: 200 ns at 1,000 models × 10 instances, no allocation, flat from 10 to 10,000 models; first look-up of one of
//! 10,000 models (over a real ZooKeeper) 50 ms and 20 watches.

#[path = "support/counting.rs"]
mod counting;
#[path = "support/populated.rs"]
mod populated;
mod support;

use maas_client::config::Roots;
use maas_client::model::ModelName;
use maas_client::resolver::{Policy, Resolver};
use maas_client::tree::memory::MemoryServer;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::hint::black_box;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const INSTANCES: usize = 10;
const LOOK_UPS: usize = 200_000;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut first = None;
        for models in [10, 1_000, 10_000] {
            let (each, allocations) = look_ups(models).await;
            let nanos = each.as_nanos();
            let smallest = *first.get_or_insert(nanos);
            let ratio = format!("{:.2}", nanos as f64 / smallest as f64);
            let baseline = if models == 10 { "-".to_string() } else { format!("{smallest}ns") };
            let name = format!("resolve_{models}");
            support::line(&name, &format!("{nanos}ns"), &baseline, &ratio, "<=200ns", nanos <= 200);
            let name = format!("resolve_{models}_allocations");
            support::line(&name, &allocations.to_string(), "-", "-", "0", allocations == 0);
        }
        first_look_up().await;
    });
}

/// The median time of a look-up over several rounds, and the allocations of all.
async fn look_ups(models: usize) -> (Duration, usize) {
    let server = MemoryServer::new();
    let roots = Roots::default();
    let names = populated::names(models);
    let session: maas_client::tree::SharedTree = server.session();
    populated::populate(&session, &roots, &names, INSTANCES).await;
    let resolver = Resolver::new(session, roots, Policy::default());
    resolver.all().await.expect("everything read");
    // Names as callers have them: not the resolver's own, in no order.
    let mut rng = StdRng::seed_from_u64(1);
    let mut asked: Vec<ModelName> =
        (0..LOOK_UPS.min(models * 100)).map(|_| names[rng.random_range(0..models)].clone()).collect();
    asked.shuffle(&mut rng);
    for name in &asked {
        black_box(resolver.resolve(name, None).await.expect("an endpoint"));
    }
    let mut rounds = Vec::with_capacity(9);
    let region = Region::new(ALLOCATOR);
    for _ in 0..9 {
        let start = Instant::now();
        for name in asked.iter().cycle().take(LOOK_UPS) {
            black_box(resolver.resolve(name, None).await.expect("an endpoint"));
        }
        rounds.push(start.elapsed() / LOOK_UPS as u32);
    }
    let allocations = region.change().allocations;
    rounds.sort();
    (rounds[rounds.len() / 2], allocations)
}

/// The first look-up of a name among 10,000 on a real server: each time another name, the resolver's own session.
async fn first_look_up() {
    const MODELS: usize = 10_000;
    let chroot = format!("/bench-{}", std::process::id());
    let roots = Roots::default();
    let names = populated::names(MODELS);
    populated::populate(&populated::zookeeper(&chroot).await, &roots, &names, INSTANCES).await;
    let counting = counting::Counting::new(populated::zookeeper(&chroot).await);
    let resolver = Resolver::new(counting.clone(), roots, Policy::default());
    let mut rounds = Vec::new();
    let mut watches = 0;
    for name in names.iter().step_by(MODELS / 20) {
        let before = counting.watches.load(Ordering::Relaxed);
        let start = Instant::now();
        black_box(resolver.resolve(name, None).await.expect("an endpoint"));
        rounds.push(start.elapsed());
        watches = watches.max(counting.watches.load(Ordering::Relaxed) - before);
    }
    rounds.sort();
    let millis = rounds[rounds.len() / 2].as_secs_f64() * 1e3;
    support::line("resolve_first", &format!("{millis:.2}ms"), "-", "-", "<=50ms", millis <= 50.0);
    support::line("resolve_first_watches", &watches.to_string(), "-", "-", "<=20", watches <= 20);
}
