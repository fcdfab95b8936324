//! States of a site as lines of text, and plans as text, for the cases in `cases/`.
//!
//! `at S` · `node HOST memory=MB [vcores=N] [gpus=N] [label=L] [limits]` · `want NAME VERSION COUNT […]` ·
//! `payload NAME VERSION none|fetching|importing|present|failed […]` · `instance ID NAME VERSION STATE […]` · `stop all`.
//! Times are seconds of the monotonic clock; what is not said is as in a version that runs well.

use crate::clock::{Moment, Now};
use crate::desired::{Desired, Version};
use crate::fixture;
use crate::observed::{Instance, Node, Observed, Payload, Process};
use crate::plan::{Effect, Plan, Step};
use maas_client::api::{Amounts, PlanVerdict};
use maas_client::launch::Exit;
use maas_client::model::ModelId;
use maas_client::reason::{InstanceState, Reason, ReasonCode};
use maas_client::request::Resources;
use maas_client::state::{CallSettings, Ended, Method, Wanted};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A site at one moment.
pub(super) struct Site {
    pub(super) desired: Desired,
    pub(super) observed: Observed,
    pub(super) now: Now,
}

/// The words of one line: those with `=` by name, the others in order.
struct Words<'a> {
    line: &'a str,
    plain: Vec<&'a str>,
    named: BTreeMap<&'a str, &'a str>,
}

impl<'a> Words<'a> {
    fn of(line: &'a str) -> Words<'a> {
        let (named, plain): (Vec<&str>, Vec<&str>) = line.split_whitespace().partition(|word| word.contains('='));
        Words { line, plain, named: named.into_iter().filter_map(|word| word.split_once('=')).collect() }
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        let text = self.named.get(name)?;
        Some(text.parse().unwrap_or_else(|_| panic!("{name} of line {:?}", self.line)))
    }

    fn moment(&self, name: &str) -> Option<Moment> {
        self.number(name).map(|seconds| Moment::after_origin(Duration::from_secs(seconds)))
    }

    fn model(&self) -> ModelId {
        match self.plain[..] {
            ["instance", _, name, version, ..] | [_, name, version, ..] => fixture::model(name, version),
            _ => panic!("line {:?} names no model", self.line),
        }
    }

    fn has(&self, word: &str) -> bool {
        self.plain.contains(&word)
    }
}

impl Site {
    /// Reads a script; a line that says nothing it knows is a mistake in the test.
    pub(super) fn parse(script: &str) -> Site {
        let now = Now { at: Moment::after_origin(Duration::from_secs(1_000)), time: fixture::time(), jitter: 0.5 };
        let mut site = Site { desired: Desired::default(), observed: Observed::default(), now };
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let words = Words::of(line);
            match words.plain[..] {
                ["at", seconds] => site.now.at = Moment::after_origin(Duration::from_secs(seconds.parse().unwrap())),
                ["stop", "all"] => site.desired.stop_all = true,
                ["places", "are", "found"] => site.observed.finds_places = true,
                ["node", host, ..] => site.observed.nodes.push(node(host, &words)),
                ["want", _, _, count, ..] => site.want(count.parse().unwrap(), &words),
                ["payload", _, _, state, ..] => site.payload(state, &words),
                ["instance", id, _, _, state, ..] => {
                    let instance = instance(id, state, &words, &site.now);
                    site.observed.instances.insert(id.to_string(), Arc::new(instance));
                }
                _ => panic!("no such line: {line:?}"),
            }
        }
        site
    }

    fn want(&mut self, count: u32, words: &Words<'_>) {
        let model = words.model();
        let mut version: Version = (*fixture::version(count, vec![])).clone();
        let desired = &mut version.desired;
        desired.resources = resources(words);
        desired.path = words
            .named
            .get("path")
            .map_or_else(|| format!("/models/{}/{}", model.name, model.version), ToString::to_string);
        desired.purge = words.has("purge");
        let request: u64 = words.number("request").unwrap_or(1);
        desired.request = format!("qn-0000000001-{request:x}");
        if words.has("unknown-digest") {
            desired.digest = None;
        }
        let history = &mut version.history;
        history.failures = words.number("failures").unwrap_or(0);
        history.retry_at = words.moment("retry_at");
        history.last_failure = words.moment("last_failure");
        if let Some(text) = words.named.get("last") {
            let reason = Reason::new(ReasonCode::ScriptExited, text.replace('_', " "));
            history.ended.push(ended(reason));
        }
        let digest = version.desired.digest.clone().unwrap_or_else(|| "sha256:imported".to_string());
        self.observed.payloads.insert(model.clone(), present(digest, CallSettings::default()));
        self.desired.versions.insert(model, Arc::new(version));
    }

    fn payload(&mut self, state: &str, words: &Words<'_>) {
        let payload = match state {
            "none" => None,
            "fetching" => Some(Payload::Busy { importing: false }),
            "importing" => Some(Payload::Busy { importing: true }),
            "post" => {
                let call = CallSettings { method: Method::Post, ..CallSettings::default() };
                Some(present("sha256:aa".to_string(), call))
            }
            "failed" => Some(Payload::Failed {
                reason: Reason::new(ReasonCode::PayloadUnreadable, "no payload there"),
                retry_at: words.moment("retry_at").unwrap_or_default(),
            }),
            other => Some(present(format!("sha256:{other}"), CallSettings::default())),
        };
        match payload {
            Some(payload) => self.observed.payloads.insert(words.model(), payload),
            None => self.observed.payloads.remove(&words.model()),
        };
    }
}

fn present(digest: String, call: CallSettings) -> Payload {
    Payload::Present { directory: PathBuf::from("/cache"), digest, call, stop_bound_s: 9 }
}

fn ended(reason: Reason) -> Ended {
    Ended {
        id: "2-9-cccc".into(),
        state: InstanceState::Failed,
        reason: Some(reason),
        host: "a".into(),
        exit_code: Some(3),
        started: fixture::time(),
        ended: fixture::time(),
    }
}

fn resources(words: &Words<'_>) -> Resources {
    Resources {
        memory_mb: words.number("memory").unwrap_or(512),
        vcores: words.number("vcores").unwrap_or(1),
        gpus: words.number("gpus").unwrap_or(0),
        label: words.named.get("label").unwrap_or(&"").to_string(),
    }
}

fn node(host: &str, words: &Words<'_>) -> Node {
    Node {
        host: host.to_string(),
        total: Amounts {
            memory_mb: words.number("memory").unwrap_or(0),
            vcores: words.number("vcores").unwrap_or(8),
            gpus: words.number("gpus").unwrap_or(0),
        },
        label: words.named.get("label").unwrap_or(&"").to_string(),
        limits_vcores: words.has("limits"),
    }
}

/// An instance in a state: `requested waiting granted allocated starting ready unready stopping unclaimed died ended`.
fn instance(id: &str, state: &str, words: &Words<'_>, now: &Now) -> Instance {
    let model = words.model();
    let mut instance: Instance = (*fixture::instance(id, &model, state == "ready")).clone();
    instance.record.resources = resources(words);
    instance.record.host = words.named.get("host").unwrap_or(&"a").to_string();
    let age: i64 = words.number("age").unwrap_or(100);
    instance.record.created = now.time - jiff::SignedDuration::from_secs(age);
    instance.seen = Moment::after_origin(now.at.since(Moment::default()) - Duration::from_secs(age.unsigned_abs()));
    match state {
        "ready" | "starting" => {}
        "unready" => instance.claim.as_mut().unwrap().state = InstanceState::Unready,
        "requested" | "waiting" | "granted" | "allocated" | "unclaimed" | "died" | "ended" | "unknown" => {
            instance.claim = None;
            instance.was_claimed = state == "unclaimed";
            instance.unclaimed_since = Some(words.moment("since").unwrap_or(now.at));
        }
        other => panic!("no such state: {other}"),
    }
    instance.process = match state {
        "requested" => Process::Absent,
        "waiting" => Process::Waiting {
            reason: words.named.get("why").map(|why| match *why {
                "never" => Reason::new(ReasonCode::NeverFits, "asks 8192 MB, the largest allowed is 4096 MB"),
                _ => Reason::new(ReasonCode::WaitingCapacity, "queue root.default full"),
            }),
        },
        "granted" => Process::Granted { container: "container_1_0001_01_000002".into(), host: "a".into() },
        "unknown" => Process::Unknown,
        "died" => Process::Dead { exit: None },
        "ended" => Process::Dead { exit: Some(exit(id, words, now)) },
        _ => instance.process,
    };
    if let Some(since) = words.moment("told") {
        instance.record.wanted = Wanted::Stop;
        instance.record.reason = Some(Reason::new(ReasonCode::Removed, "not wanted any more"));
        instance.stopping_since = Some(since);
    }
    if let Some(digest) = words.named.get("digest") {
        instance.record.digest = format!("sha256:{digest}");
    }
    instance.killed_at = words.moment("killed");
    instance
}

fn exit(id: &str, words: &Words<'_>, now: &Now) -> Exit {
    let (state, code, text) = match words.named.get("code").copied() {
        Some("preempted") => (InstanceState::Failed, ReasonCode::Preempted, "the cluster took it"),
        Some("removed") => (InstanceState::Stopped, ReasonCode::Removed, "not wanted any more"),
        _ => (InstanceState::Failed, ReasonCode::ScriptExited, "script ended with exit code 3"),
    };
    let ran: u64 = words.number("ran").unwrap_or(5);
    Exit {
        id: id.to_string(),
        state,
        reason: Reason::new(code, text),
        exit_code: Some(3),
        host: "a".to_string(),
        started: Some(now.time),
        ended: now.time,
        ran_ms: ran * 1_000,
        was_ready: false,
        stderr_tail: vec![],
    }
}

/// A plan as text: steps, verdicts, what waits, when to look again.
pub(super) fn shown(plan: &Plan, now: &Now) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        writeln!(text, "{}", step_words(step)).unwrap();
    }
    for (model, verdict) in &plan.verdicts {
        let (ready, missing) = (verdict.ready, verdict.missing);
        write!(text, "= {} {} {}: {ready} ready", model.name, model.version, verdict.state).unwrap();
        if missing > 0 {
            let fits = match verdict.fits {
                PlanVerdict::Now => "now",
                PlanVerdict::Waits => "waits",
                PlanVerdict::Never => "never",
            };
            write!(text, ", {missing} missing ({fits})").unwrap();
        }
        if let Some(reason) = &verdict.reason {
            write!(text, "; {}: {}", reason.code, reason.text).unwrap();
        }
        writeln!(text).unwrap();
    }
    for waiting in plan.capacity.iter().flat_map(|capacity| &capacity.waiting) {
        writeln!(text, "waits: {} of {} {}", waiting.count, waiting.name, waiting.version).unwrap();
    }
    if let Some(at) = plan.wake_at {
        writeln!(text, "looks again in {} s", at.since(now.at).as_secs()).unwrap();
    }
    text
}

fn step_words(step: &Step) -> String {
    let (word, model) = (step.effect.word(), format!("{} {}", step.model.name, step.model.version));
    let which = match &step.effect {
        Effect::Launch { host } => format!("on {host}"),
        Effect::Stop { id, why } => format!("{id} {}", why.code),
        Effect::Bury { id, ended, quick } => {
            format!("{id} {}{}", ended.state, if *quick { " quick" } else { "" })
        }
        other => other.instance().unwrap_or_default().to_string(),
    };
    let space = if which.is_empty() { "" } else { " " };
    format!("{word} {model}{space}{which}: {}", step.reason)
}
