//! What holds for any state: one step an instance, no node overfilled by a launch, the same plan for the same input; and
//! a site in which every step succeeds comes to rest as it is wanted, where the plan is empty.

use super::script::{Site, shown};
use crate::clock::Moment;
use crate::desired::Version;
use crate::fixture;
use crate::observed::{Instance, Payload, Process, Purge};
use crate::plan::{Effect, Plan, Step, plan};
use crate::policy::Policy;
use maas_client::api::PlanVerdict;
use maas_client::reason::InstanceState;
use maas_client::request::Resources;
use maas_client::state::{CallSettings, Wanted};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Passes in which any site of the size made here comes to rest.
const MOST_PASSES: usize = 300;

/// Any site, as a script.
fn scripts() -> impl Strategy<Value = String> {
    let nodes = prop::collection::vec((0u64..4_096, 0u32..8, 0u32..2, any::<bool>()), 0..3);
    let versions = prop::collection::vec(version_line(), 0..5);
    let instances = prop::collection::vec(instance_line(), 0..12);
    (nodes, versions, instances, prop::bool::weighted(0.1)).prop_map(|(nodes, versions, instances, stop_all)| {
        let mut script = String::new();
        for (host, (memory, vcores, gpus, limits)) in ["a", "b", "c"].iter().zip(nodes) {
            let limits = if limits { " limits" } else { "" };
            script.push_str(&format!("node {host} memory={memory} vcores={vcores} gpus={gpus}{limits}\n"));
        }
        for (name, line) in versions.iter().enumerate() {
            script.push_str(&line.replace('#', &format!("m{name} 1.0")));
        }
        for (number, line) in instances.iter().enumerate() {
            script.push_str(&line.replacen('#', &format!("3-{number}-aaaa"), 1));
        }
        if stop_all { script + "stop all\n" } else { script }
    })
}

fn version_line() -> impl Strategy<Value = String> {
    let words = prop::sample::subsequence(vec!["purge", "unknown-digest"], 0..=2);
    let payload = prop::sample::select(vec!["", "none", "post", "failed retry_at=1010"]);
    let numbers = (0u32..5, 0u64..2_048, 0u32..4, 0u32..2, 1u32..9, 0u32..6);
    (numbers, prop::option::of(900u64..1_300), words, payload).prop_map(|(numbers, retry_at, words, payload)| {
        let (count, memory, vcores, gpus, request, failures) = numbers;
        let mut line = format!("want # {count} memory={memory} vcores={vcores} gpus={gpus} request={request}");
        line.push_str(&format!(" failures={failures} last_failure=990 {}", words.join(" ")));
        if let Some(at) = retry_at {
            line.push_str(&format!(" retry_at={at}"));
        }
        if !payload.is_empty() && !words.contains(&"unknown-digest") {
            line.push_str(&format!("\npayload # {payload}"));
        }
        line + "\n"
    })
}

fn instance_line() -> impl Strategy<Value = String> {
    let states =
        vec!["ready", "starting", "unready", "requested", "allocated", "unclaimed", "died", "ended", "unknown"];
    let state = prop::sample::select(states);
    let host = prop::sample::select(vec!["a", "b", "c", "z"]);
    let digest = prop::sample::select(vec!["aa", "bb"]);
    let told = prop::option::of(900u64..1_000);
    (0u32..6, state, host, digest, 900u64..1_000, 1u64..200, told).prop_map(
        |(model, state, host, digest, since, age, told)| {
            let told = told.map_or(String::new(), |at| format!("told={at}"));
            format!("instance # m{model} 1.0 {state} host={host} digest={digest} since={since} age={age} {told}\n")
        },
    )
}

/// What no plan may do.
fn check_steps(site: &Site, plan: &Plan) {
    let mut concerned = BTreeSet::new();
    for step in &plan.steps {
        let Some(id) = step.effect.instance() else { continue };
        assert!(concerned.insert(id), "two steps for {id}");
        let instance = &site.observed.instances[id];
        let told = instance.record.wanted == Wanted::Stop;
        match &step.effect {
            Effect::Start { .. } => assert!(!told && instance.process == Process::Absent, "{step:?}"),
            Effect::Stop { .. } => assert!(!told, "{step:?}"),
            Effect::Kill { .. } => assert!(told && !matches!(instance.process, Process::Unknown), "{step:?}"),
            Effect::Bury { .. } => assert!(instance.process.is_gone(), "{step:?}"),
            _ => {}
        }
    }
    check_room(site, plan);
    for (model, verdict) in &plan.verdicts {
        let is_launch = |step: &&Step| matches!(step.effect, Effect::Launch { .. }) && step.model == *model;
        let launches = plan.steps.iter().filter(is_launch).count();
        assert!(launches <= verdict.missing as usize, "{launches} launches for {verdict:?}");
        assert!(verdict.fits != PlanVerdict::Never || launches == 0, "{verdict:?}");
    }
}

/// Instances that were there before may hold more than there is; a launch never does.
fn check_room(site: &Site, plan: &Plan) {
    let mut used: BTreeMap<&str, u64> = BTreeMap::new();
    for instance in site.observed.instances.values() {
        if !matches!(instance.process, Process::Dead { .. }) {
            *used.entry(&instance.record.host).or_default() += instance.record.resources.memory_mb;
        }
    }
    for step in &plan.steps {
        let Effect::Launch { host } = &step.effect else { continue };
        let node = site.observed.nodes.iter().find(|node| node.host == *host).unwrap();
        let all = used.entry(host).or_default();
        *all += site.desired.versions[&step.model].desired.resources.memory_mb;
        assert!(*all <= node.total.memory_mb, "{host} has {} MB, {all} are used", node.total.memory_mb);
    }
}

/// Does all steps of a plan as if each succeeded, then lets the runners do what they are told.
fn live(site: &mut Site, plan: &Plan, pass: usize) {
    for (number, step) in plan.steps.iter().enumerate() {
        take_step(site, step, &format!("4-{pass}-{number:04}"));
    }
    let now = site.now.at;
    for instance in site.observed.instances.values_mut().map(Arc::make_mut) {
        if !matches!(instance.process, Process::Alive { .. }) {
            continue;
        }
        match instance.record.wanted {
            // Every third goes on when it is told to stop.
            Wanted::Stop if !instance.id.ends_with(['3', '6', '9']) => instance.process = Process::Dead { exit: None },
            Wanted::Stop => {}
            Wanted::Run => {
                let ready = fixture::instance(&instance.id, &instance.record.model, true);
                instance.claim = ready.claim.clone();
                instance.registered = ready.registered.clone();
                instance.was_claimed = true;
                instance.unclaimed_since = None;
            }
        }
    }
    let soon = now.plus(Duration::from_secs(1));
    let next = plan.wake_at.filter(|_| plan.steps.is_empty());
    site.now.at = next.map_or(soon, |at| at.max(soon));
}

fn take_step(site: &mut Site, step: &Step, new_id: &str) {
    let now = site.now;
    let version = site.desired.versions.get_mut(&step.model).map(Arc::make_mut);
    let instances = &mut site.observed.instances;
    match &step.effect {
        Effect::Fetch => {
            let digest = version.unwrap().desired.digest.clone().unwrap_or_else(|| "sha256:aa".to_string());
            let directory = PathBuf::from("/cache");
            let call = CallSettings::default();
            let payload = Payload::Present { directory, digest, call, stop_bound_s: 9 };
            site.observed.payloads.insert(step.model.clone(), payload);
        }
        Effect::RecordPayload => {
            let Some(Payload::Present { digest, call, .. }) = site.observed.payloads.get(&step.model) else {
                panic!("no payload to record of {}", step.model);
            };
            let desired = &mut version.unwrap().desired;
            (desired.digest, desired.call) = (Some(digest.clone()), call.clone());
        }
        Effect::Launch { host } => {
            let instance = launched(new_id, host, step, version.unwrap(), now.at);
            instances.insert(new_id.to_string(), Arc::new(instance));
        }
        Effect::Place { .. } => unreachable!("this launcher finds no places"),
        Effect::Start { id } => change(instances, id, |it| it.process = Process::Alive { pid: None }),
        Effect::Stop { id, why } => change(instances, id, |it| {
            it.record.wanted = Wanted::Stop;
            it.record.reason = Some(why.clone());
            it.stopping_since = Some(now.at);
        }),
        Effect::Kill { id } => change(instances, id, |it| it.process = Process::Dead { exit: None }),
        Effect::Bury { id, ended, quick } => {
            instances.remove(id);
            if let Some(version) = version {
                version.history = version.history.with_ended((**ended).clone(), *quick, &now, &Policy::default());
            }
        }
        Effect::Forgive => version.unwrap().history.forgive(),
        Effect::Purge => {
            site.observed.purges.insert(step.model.clone(), Purge::Done { kept: None });
        }
        Effect::RecordPurge { .. } => version.unwrap().desired.purge = false,
    }
}

fn launched(id: &str, host: &str, step: &Step, version: &Version, at: Moment) -> Instance {
    let mut instance = (*fixture::instance(id, &step.model, false)).clone();
    instance.record.host = host.to_string();
    instance.record.resources = version.desired.resources.clone();
    instance.record.digest = version.desired.digest.clone().unwrap();
    instance.claim = None;
    instance.was_claimed = false;
    instance.unclaimed_since = Some(at);
    instance.seen = at;
    instance
}

fn change(instances: &mut BTreeMap<String, Arc<Instance>>, id: &str, how: impl FnOnce(&mut Instance)) {
    how(Arc::make_mut(instances.get_mut(id).unwrap()));
}

/// Everything is as wanted, or there is no room for what is missing.
fn check_rest(site: &Site, plan: &Plan) {
    let mut counts: BTreeMap<_, u32> = BTreeMap::new();
    for instance in site.observed.instances.values() {
        if instance.is_counted() {
            assert_eq!(instance.state().0, InstanceState::Ready, "{instance:?}");
            *counts.entry(&instance.record.model).or_default() += 1;
        }
        let elsewhere = instance.process == Process::Unknown;
        assert!(elsewhere || instance.record.wanted == Wanted::Run, "{instance:?}");
    }
    let nodes = &plan.capacity.as_ref().unwrap().nodes;
    for (model, version) in &site.desired.versions {
        let wanted = if site.desired.stop_all { 0 } else { version.desired.count };
        let there = counts.remove(model).unwrap_or(0);
        assert!(there <= wanted, "{there} of {model}, {wanted} wanted");
        if there < wanted {
            let Resources { memory_mb, gpus, .. } = version.desired.resources;
            assert_ne!(plan.verdicts[model].fits, PlanVerdict::Now, "{model}");
            let limited = |host: &str| site.observed.nodes.iter().any(|node| node.host == host && node.limits_vcores);
            for node in nodes {
                let free = &node.free;
                let vcores = if limited(&node.host) { free.vcores } else { node.total.vcores };
                let room = free.memory_mb >= memory_mb && free.gpus >= gpus;
                assert!(!room || vcores < version.desired.resources.vcores, "{model} fits on {}", node.host);
            }
        }
    }
    assert!(counts.is_empty(), "of no wanted version: {counts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_site_comes_to_rest_as_it_is_wanted(script in scripts()) {
        let mut site = Site::parse(&script);
        let policy = Policy::default();
        let mut before = None;
        for pass in 0.. {
            let planned = plan(&site.desired, &site.observed, &policy, &site.now);
            let again = plan(&site.desired.clone(), &site.observed.clone(), &policy, &site.now);
            prop_assert_eq!(&planned, &again, "the same input gave another plan");
            check_steps(&site, &planned);
            let is_idle = planned.steps.is_empty() && planned.wake_at.is_none();
            // Twice the same: no runner is on its way any more.
            if is_idle && before.as_ref() == Some(&planned) {
                check_rest(&site, &planned);
                site.now.at = site.now.at.plus(Duration::from_secs(3_600));
                let later = plan(&site.desired, &site.observed, &policy, &site.now);
                prop_assert_eq!(&planned, &later, "an hour changes what was at rest");
                break;
            }
            prop_assert!(pass < MOST_PASSES, "never at rest: {}", shown(&planned, &site.now));
            live(&mut site, &planned, pass);
            before = Some(planned);
        }
    }
}
