//! What is wrong, from facts and the ports' answers. Pure: the same facts give the same findings.

use crate::doctor::facts::{Facts, Recorded, Registered};
use crate::doctor::ports::Answer;
use jiff::Timestamp;
use maas_client::reason::InstanceState;
use maas_client::state::{FORMAT, Wanted};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Age from which something that should pass quickly counts as stuck, s.
const STUCK_S: i64 = 60;

/// What `--repair` does about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Repair {
    /// Makes a persistent node.
    Make {
        /// Which.
        path: String,
    },
    /// Deletes a persistent node that is still the one that was looked at.
    Delete {
        /// Which.
        path: String,
        /// Its creation transaction.
        czxid: i64,
        /// Its version.
        version: i32,
    },
}

impl Repair {
    /// For a person.
    pub(crate) fn line(&self) -> String {
        match self {
            Repair::Make { path } => format!("make {path}"),
            Repair::Delete { path, .. } => format!("delete {path}"),
        }
    }

    /// Which node.
    pub(crate) fn path(&self) -> &str {
        match self {
            Repair::Make { path } | Repair::Delete { path, .. } => path,
        }
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// A fixed name of the kind.
    pub(crate) code: &'static str,
    /// The node it is about.
    pub(crate) path: String,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) advice: String,
    /// Whether `--repair` mends it.
    pub(crate) repairable: bool,
    /// How.
    #[serde(skip)]
    pub(crate) repair: Option<Repair>,
}

impl Finding {
    fn new(code: &'static str, path: impl Into<String>, message: String, advice: impl Into<String>) -> Finding {
        Finding { code, path: path.into(), message, advice: advice.into(), repairable: false, repair: None }
    }

    fn mended_by(mut self, repair: Repair) -> Finding {
        self.repairable = true;
        self.repair = Some(repair);
        self
    }
}

/// All findings, those about the whole first.
pub(crate) fn find(facts: &Facts, ports: &[Answer], paths: &Paths, now: Timestamp) -> Vec<Finding> {
    let mut found = about_the_whole(facts, paths, now);
    found.extend(about_instances(facts, paths, now));
    found.extend(about_registrations(facts, ports));
    found.extend(facts.unreadable.iter().map(|(path, error)| {
        let advice = "written by a newer or another program; what it says is not taken into account";
        Finding::new("unreadable_state", path, format!("can't be read: {error}"), advice)
    }));
    found
}

/// Paths and values that findings name.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    /// The queue's root.
    pub(crate) queue: String,
    /// The leader's node.
    pub(crate) leader: String,
    /// The cluster's node.
    pub(crate) cluster: String,
    /// The node that stops all masters.
    pub(crate) stop: String,
    /// Parent of instance records.
    pub(crate) instances: String,
    /// This program's version.
    pub(crate) own_version: String,
}

fn about_the_whole(facts: &Facts, paths: &Paths, now: Timestamp) -> Vec<Finding> {
    let mut found = Vec::new();
    for root in &facts.missing_roots {
        let advice = "a running master makes it again; --repair does too";
        found.push(
            Finding::new("missing_root", root, "is not there".to_string(), advice)
                .mended_by(Repair::Make { path: root.clone() }),
        );
    }
    match &facts.leader {
        None if facts.has_led => {
            let advice = "start one with maas_service; what runs goes on meanwhile";
            found.push(Finding::new("no_leader", &paths.leader, "no master leads".to_string(), advice));
        }
        Some(leader) if leader.version != paths.own_version => {
            let message = format!("the master is {}, this program {}", leader.version, paths.own_version);
            found.push(Finding::new("version_skew", &paths.leader, message, "install the same version on both"));
        }
        _ => {}
    }
    if let Some(format) = facts.said.as_ref().map(|said| said.format).filter(|format| *format > FORMAT) {
        let message = format!("the state has format {format}; this program knows {FORMAT}");
        found.push(Finding::new("newer_format", &paths.cluster, message, "use a newer maas_deploy"));
    }
    if let Some(stop) = &facts.stop {
        let age = age_s(stop.ctime_ms, now);
        if facts.leader.is_none() && age > STUCK_S {
            let message = format!("tells all masters to stop, for {age} s, and none leads");
            let advice = "left over from an interrupted stop: start a master, it clears it; or --repair deletes it";
            let delete = Repair::Delete { path: paths.stop.clone(), czxid: stop.czxid, version: stop.version };
            found.push(Finding::new("stop_left_over", &paths.stop, message, advice).mended_by(delete));
        }
    }
    let oldest = facts
        .queue
        .iter()
        .filter(|(child, _)| child.starts_with(maas_client::queue::PREFIX))
        .min_by_key(|(_, since)| *since);
    if let Some((child, since)) = oldest.filter(|(_, since)| age_s(*since, now) > STUCK_S) {
        let message = format!("{} requests wait, {child} for {} s", facts.queue.len(), age_s(*since, now));
        found.push(Finding::new(
            "queue_waits",
            &paths.queue,
            message,
            "no master takes them: start one with maas_service",
        ));
    }
    for (child, _) in facts.queue.iter().filter(|(child, _)| !child.starts_with(maas_client::queue::PREFIX)) {
        let message = "is no request; masters skip it".to_string();
        found.push(Finding::new("foreign_in_queue", format!("{}/{child}", paths.queue), message, "ask who made it"));
    }
    found
}

fn about_instances(facts: &Facts, paths: &Paths, now: Timestamp) -> Vec<Finding> {
    let mut found = Vec::new();
    for Recorded { id, record, claim } in &facts.instances {
        let path = format!("{}/{id}", paths.instances);
        let age = now.duration_since(record.created).as_secs();
        if !facts.versions.contains(&record.model) {
            let message = format!("is an instance of {}, which nobody wants or knows", record.model);
            found.push(Finding::new("orphan_record", &path, message, "the master clears it; see that one leads"));
        } else if claim.is_none() && record.wanted == Wanted::Run && age > STUCK_S {
            let message = format!("{} on {}: no runner has claimed it for {age} s", record.model, record.host);
            found.push(Finding::new("no_runner", &path, message, "maas_deploy events shows why; a master replaces it"));
        }
        let registered = || facts.registered.iter().any(|registered| registered.id == *id);
        if claim.as_ref().is_some_and(|claim| claim.state == InstanceState::Ready) && !registered() {
            let message = format!("{} says it is ready and is not registered", record.model);
            found.push(Finding::new(
                "ready_unregistered",
                &path,
                message,
                "its runner registers it again; look once more",
            ));
        }
    }
    let records: BTreeSet<&str> = facts.instances.iter().map(|instance| instance.id.as_str()).collect();
    for registered in &facts.registered {
        if registered.is_ephemeral() && is_our_id(&registered.id) && !records.contains(registered.id.as_str()) {
            let message = format!("{} serves on, and no master knows it", what(registered));
            let advice = format!("stop its runner on that host: the process with MAAS_INSTANCE_ID={}", registered.id);
            found.push(Finding::new("unowned_instance", &registered.path, message, advice));
        }
    }
    found
}

fn about_registrations(facts: &Facts, ports: &[Answer]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut by_url: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut unknown: BTreeMap<&str, Vec<&Registered>> = BTreeMap::new();
    let nobody = Answer::Unknown("it was not asked".to_string());
    for (index, registered) in facts.registered.iter().enumerate() {
        let path = &registered.path;
        let delete = || {
            let stat = &registered.node.stat;
            Repair::Delete { path: path.clone(), czxid: stat.czxid, version: stat.version }
        };
        match &registered.endpoint {
            Ok(endpoint) => by_url.entry(&endpoint.url).or_default().push(path),
            Err(error) => {
                let message = format!("can't be read: {error}; Metron's clients then see no endpoint of any model");
                let removable = !registered.is_ephemeral() && registered.node.stat.num_children == 0;
                let finding = |advice| Finding::new("unreadable_registration", path, message, advice);
                found.push(match removable {
                    true => finding("--repair deletes it").mended_by(delete()),
                    false => finding("it belongs to a live session; ask whose it is"),
                });
                continue;
            }
        }
        match (ports.get(index).unwrap_or(&nobody), registered.is_ephemeral()) {
            (Answer::Answers, _) => {}
            (Answer::Refused, false) => {
                let message = format!("{}: its port refused each time", what(registered));
                found
                    .push(Finding::new("stale_registration", path, message, "--repair deletes it").mended_by(delete()));
            }
            (Answer::Refused, true) => {
                let message = format!("{}: its port refused each time, and its session lives", what(registered));
                found.push(Finding::new(
                    "refusing_endpoint",
                    path,
                    message,
                    "its runner un-registers it; look once more",
                ));
            }
            (Answer::Unknown(why), _) => unknown.entry(why.as_str()).or_default().push(registered),
        }
    }
    // Often all for one reason, that nobody could ask: said once.
    for (why, all) in unknown {
        let Some(first) = all.first() else { continue };
        let whom = if all.len() == 1 { what(first) } else { format!("{} endpoints", all.len()) };
        let message = format!("{whom}: can't be known: {why}");
        found.push(Finding::new("silent_endpoint", &first.path, message, "look from its own host with --from-here"));
    }
    for (url, paths) in by_url.into_iter().filter(|(_, paths)| paths.len() > 1) {
        let message = format!("{url} is registered {} times: {}", paths.len(), paths.join(", "));
        found.push(Finding::new("registered_twice", paths[0], message, "only one of them can be true"));
    }
    found
}

fn what(registered: &Registered) -> String {
    match &registered.endpoint {
        Ok(endpoint) => format!("{} at {}", endpoint.model(), endpoint.url),
        Err(_) => registered.path.clone(),
    }
}

/// `<epoch>-<seq>-<4 hex digits>`: made by a master of ours.
fn is_our_id(id: &str) -> bool {
    let parts: Vec<&str> = id.split('-').collect();
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match parts.as_slice() {
        [epoch, sequence, random] => {
            number(epoch)
                && number(sequence)
                && random.len() == 4
                && random.bytes().all(|byte| byte.is_ascii_hexdigit())
        }
        _ => false,
    }
}

fn age_s(since_ms: i64, now: Timestamp) -> i64 {
    (now.as_millisecond() - since_ms) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use maas_client::tree::Stat;

    #[test]
    fn an_order_to_stop_that_nobody_obeyed_can_be_taken_away() {
        let root = |name: &str| format!("/maas/{name}");
        let paths = Paths {
            queue: root("queue"),
            leader: root("state/leader"),
            cluster: root("state/cluster"),
            stop: root("state/stop"),
            instances: root("state/instances"),
            own_version: "1".into(),
        };
        let stop = Stat { ctime_ms: testing::time(0).as_millisecond(), czxid: 5, version: 2, ..Stat::default() };
        let facts = Facts { stop: Some(stop), ..Facts::default() };
        assert!(find(&facts, &[], &paths, testing::time(1)).is_empty(), "a master may be about to obey it");
        let found = find(&facts, &[], &paths, testing::time(3_600));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code, "stop_left_over");
        let Some(Repair::Delete { path, czxid, version }) = &found[0].repair else { panic!("{found:?}") };
        assert_eq!((path.as_str(), *czxid, *version), ("/maas/state/stop", 5, 2));
    }
}
