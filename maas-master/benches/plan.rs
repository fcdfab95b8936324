//! `plan`: one pass of the planner at 100, 1,000 and 10,000 instances: all at rest, all to be started, all to be stopped.
//!
//! The fastest of many passes counts: neighbours on the machine only ever add. Baseline: ten times what a tenth of the
//! instances took, so that a ratio near 1 means linear. Goal: 10 ms at 10,000.

mod support;

use criterion::{BenchmarkId, Criterion};
use jiff::Timestamp;
use maas_client::api::Amounts;
use maas_client::model::ModelId;
use maas_client::reason::InstanceState;
use maas_client::request::Resources;
use maas_client::state::{self, CallSettings, Claim, InstanceRecord, Spec, Wanted};
use maas_master::clock::{Moment, Now};
use maas_master::desired::{Desired, History, Version};
use maas_master::observed::{Instance, Node, Observed, Payload, Process};
use maas_master::plan::plan;
use maas_master::policy::Policy;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SIZES: [u32; 3] = [100, 1_000, 10_000];
/// Instances of one version, and of one node.
const TOGETHER: u32 = 50;
const GOAL: Duration = Duration::from_millis(10);
/// More than this many times a tenth's tenfold is not linear. 10,000 instances no longer fit into caches that hold 1,000,
/// which makes up to 3 of it; a quadratic pass would show 10.
const LINEAR: f64 = 4.0;

/// What the pass finds.
#[derive(Clone, Copy)]
enum Situation {
    /// All wanted instances are ready: nothing is to be done.
    Rest,
    /// None is there: all are launched.
    Start,
    /// None is wanted: all are stopped.
    Stop,
}

fn main() {
    let mut criterion = Criterion::default().sample_size(20).without_plots();
    criterion = criterion.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for (name, situation) in
        [("plan_rest", Situation::Rest), ("plan_start", Situation::Start), ("plan_stop", Situation::Stop)]
    {
        let times = SIZES.map(|size| measure(&mut criterion, name, situation, size));
        for (index, (size, time)) in SIZES.iter().zip(times).enumerate() {
            let tenth = index.checked_sub(1).and_then(|before| times.get(before)).map(|time| *time * 10);
            let ratio = tenth.map(|tenth| time.as_secs_f64() / tenth.as_secs_f64());
            support::line(
                &format!("{name}_{size}"),
                &micros(time),
                &tenth.map_or_else(|| "-".to_string(), micros),
                &ratio.map_or_else(|| "-".to_string(), |ratio| format!("{ratio:.2}")),
                if *size == 10_000 { "<=10ms" } else { "linear" },
                time <= GOAL && ratio.is_none_or(|ratio| ratio <= LINEAR),
            );
        }
    }
}

fn micros(time: Duration) -> String {
    format!("{}us", time.as_micros())
}

/// The fastest pass.
fn measure(criterion: &mut Criterion, name: &str, situation: Situation, size: u32) -> Duration {
    let (desired, observed, policy) = (desired(situation, size), observed(situation, size), Policy::default());
    let now = Now { at: Moment::after_origin(Duration::from_secs(100)), time: time(), jitter: 0.5 };
    let expected = if matches!(situation, Situation::Rest) { 0 } else { size as usize };
    assert_eq!(plan(&desired, &observed, &policy, &now).steps.len(), expected, "{name}");
    let mut fastest = Duration::MAX;
    criterion.bench_with_input(BenchmarkId::new(name, size), &size, |bencher, _| {
        bencher.iter_custom(|rounds| {
            let mut all = Duration::ZERO;
            for _ in 0..rounds {
                let begun = Instant::now();
                drop(black_box(plan(black_box(&desired), black_box(&observed), &policy, &now)));
                let took = begun.elapsed();
                fastest = fastest.min(took);
                all += took;
            }
            all
        });
    });
    fastest
}

fn time() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn model(number: u32) -> ModelId {
    ModelId::new(&format!("model-{}", number / TOGETHER), "1.0").expect("a good name")
}

fn desired(situation: Situation, size: u32) -> Desired {
    let mut desired = Desired::default();
    for number in (0..size).step_by(TOGETHER as usize) {
        let wanted = state::Desired {
            count: if matches!(situation, Situation::Stop) { 0 } else { TOGETHER },
            digest: Some("sha256:aa".into()),
            path: "/models/m/1.0".into(),
            resources: Resources::default(),
            call: CallSettings::default(),
            generation: 1,
            published: time(),
            by: None,
            request: format!("qn-0000000001-{number:x}"),
            purge: false,
            purged: false,
        };
        let (spec, history) = (Spec::default(), History::default());
        let version = Version { desired: wanted, node_version: 0, spec, spec_version: None, history };
        desired.versions.insert(model(number), Arc::new(version));
    }
    desired
}

fn observed(situation: Situation, size: u32) -> Observed {
    let mut observed = Observed::default();
    for number in (0..size).step_by(TOGETHER as usize) {
        let payload = Payload::Present {
            directory: PathBuf::from("/cache/aa"),
            digest: "sha256:aa".into(),
            call: CallSettings::default(),
            stop_bound_s: 8,
        };
        observed.payloads.insert(model(number), payload);
        // Exactly enough on all nodes together.
        let total = Amounts { memory_mb: u64::from(TOGETHER) * 512, vcores: 64, gpus: 0 };
        observed.nodes.push(Node { host: host(number), total, label: String::new(), limits_vcores: false });
    }
    if !matches!(situation, Situation::Start) {
        observed.instances = (0..size).map(|number| (id(number), Arc::new(instance(number)))).collect();
    }
    observed
}

fn host(number: u32) -> String {
    format!("node-{}", number / TOGETHER)
}

fn id(number: u32) -> String {
    format!("3-{number}-{number:04x}")
}

fn instance(number: u32) -> Instance {
    let url = Some(format!("http://{}:{}", host(number), 2_000 + number));
    let record = InstanceRecord {
        model: model(number),
        wanted: Wanted::Run,
        reason: None,
        epoch: 3,
        resources: Resources::default(),
        digest: "sha256:aa".into(),
        host: host(number),
        container: None,
        local: None,
        created: time(),
        stop_bound_s: 8,
    };
    let claim = Claim {
        state: InstanceState::Ready,
        reason: None,
        pid: number,
        host: host(number),
        url: url.clone(),
        started: Some(time()),
        memory_used_mb: Some(40),
    };
    Instance {
        id: id(number),
        record,
        record_version: 0,
        claim: Some(claim),
        registered: url,
        process: Process::Alive { pid: Some(number) },
        seen: Moment::default(),
        unclaimed_since: None,
        was_claimed: true,
        stopping_since: None,
        killed_at: None,
    }
}
