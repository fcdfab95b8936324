//! From a queue's message to a change of what is wanted, a refusal, or a message set aside. Pure.
//!
//! Taking the message and writing what was decided, exactly once, is [`take`]'s.

pub mod queue;
pub mod take;
#[cfg(test)]
mod tests;

use crate::desired::Version;
use crate::policy::Policy;
use jiff::Timestamp;
use maas_cli::ErrorCode;
use maas_client::request::{Action, ModelRequest, Resources};
use maas_client::state::{self, CallSettings, Spec};

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Decision {
    /// The wanted state changes (or is so already).
    Accept(Box<Change>),
    /// It can't be carried out.
    Refuse {
        /// From the list of error codes.
        code: ErrorCode,
        /// What, which value, what to do.
        reason: String,
    },
}

/// An accepted request.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The version's desired state afterwards.
    pub desired: state::Desired,
    /// Its environment and secrets afterwards.
    pub spec: Spec,
    /// Wanted number before.
    pub before: u32,
    /// What a person should know; empty when there is nothing to say.
    pub note: String,
    /// What of the running instances' spec is replaced for new ones; `None` when nothing is.
    pub replaced: Option<String>,
}

/// What identifies a request besides its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival<'a> {
    /// Its id.
    pub id: &'a str,
    /// When it is decided.
    pub time: Timestamp,
}

/// Decides one request against what is wanted now.
pub fn decide(request: &ModelRequest, arrival: Arrival<'_>, current: Option<&Version>, policy: &Policy) -> Decision {
    match request.action {
        Action::Add => decide_add(request, arrival, current, policy),
        Action::Remove => decide_remove(request, arrival, current),
        Action::Scale => decide_scale(request, arrival, current, policy),
    }
}

/// Our own client says who asks, a digest or an idempotency key; Metron's has no such keys.
fn is_ours(request: &ModelRequest) -> bool {
    let extra = &request.extra;
    extra.id.is_some() || extra.by.is_some() || extra.digest.is_some() || extra.update
}

fn refuse(code: ErrorCode, reason: String) -> Decision {
    Decision::Refuse { code, reason }
}

/// From the REMOVE that asks for it until its end is recorded a payload may vanish at any moment: nobody may count on it.
fn refuse_while_purged(request: &ModelRequest, version: &Version) -> Option<Decision> {
    let text = format!("{} is being removed with its payload; ADD it again once that is done", request.model);
    version.desired.purge.then(|| refuse(ErrorCode::Conflict, text))
}

fn decide_add(request: &ModelRequest, arrival: Arrival<'_>, current: Option<&Version>, policy: &Policy) -> Decision {
    let asked = request.num_instances;
    if asked == 0 || asked > policy.most_at_once {
        let reason = format!("{asked} instances; ADD takes 1 to {} at once", policy.most_at_once);
        return refuse(ErrorCode::CountMax, reason);
    }
    let memory = request.resources.memory_mb;
    if memory < policy.least_memory_mb || memory > policy.most_memory_mb {
        let reason = format!("{memory} MB; from {} to {} MB", policy.least_memory_mb, policy.most_memory_mb);
        return refuse(ErrorCode::MemoryMax, reason);
    }
    let Some(path) = request.path.clone().filter(|path| !path.is_empty()) else {
        return refuse(ErrorCode::BadRequest, "an ADD names the path of its payload".to_string());
    };
    if let Some(refused) = current.and_then(|version| refuse_while_purged(request, version)) {
        return refused;
    }
    let before = current.map_or(0, |version| version.desired.count);
    let after = before.saturating_add(asked);
    if after > policy.most_of_version {
        let reason = format!(
            "{before} of {} are wanted already; at most {} of a version",
            request.model, policy.most_of_version
        );
        return refuse(ErrorCode::CountMax, reason);
    }
    let given = Spec { env: request.extra.env.clone(), secrets: request.extra.secrets.clone() };
    let Some(version) = current else {
        let desired = state::Desired {
            count: after,
            digest: request.extra.digest.clone(),
            path,
            resources: request.resources.clone(),
            call: CallSettings::default(),
            generation: 1,
            published: arrival.time,
            by: request.extra.by.clone(),
            request: arrival.id.to_string(),
            purge: false,
            purged: false,
        };
        let change = Change { desired, spec: given, before, note: String::new(), replaced: None };
        return Decision::Accept(Box::new(change));
    };
    add_to(request, arrival, version, path, given, after)
}

/// An ADD to a version that is known: its spec must agree, or be replaced.
fn add_to(
    request: &ModelRequest,
    arrival: Arrival<'_>,
    version: &Version,
    path: String,
    given: Spec,
    after: u32,
) -> Decision {
    let ours = is_ours(request);
    let old = &version.desired;
    let mut desired = old.clone();
    let mut spec = version.spec.clone();
    let mut replaced = Vec::new();

    let resources = if ours {
        request.resources.clone()
    } else {
        Resources { memory_mb: request.resources.memory_mb, ..old.resources.clone() }
    };
    if resources != old.resources {
        replaced.push(format!("{} instead of {}", words(&resources), words(&old.resources)));
        desired.resources = resources;
    }
    let gives_spec = given != Spec::default();
    if gives_spec && given != spec {
        replaced.push("other environment".to_string());
        spec = given;
    }
    let runs = old.count > 0;
    if runs && ours && !request.extra.update && !replaced.is_empty() {
        let reason = format!(
            "{} runs with other settings: {}; give the same, or --update to use these for new instances",
            request.model,
            replaced.join(", ")
        );
        return refuse(ErrorCode::ConflictResources, reason);
    }
    match (&old.digest, &request.extra.digest) {
        (Some(there), Some(new)) if there != new => {
            if runs {
                let reason = format!(
                    "{} runs with other content ({there}); a version does not change: publish this as another",
                    request.model
                );
                return refuse(ErrorCode::ConflictContent, reason);
            }
            desired.digest = Some(new.clone());
            desired.call = CallSettings::default();
        }
        (None, Some(new)) => desired.digest = Some(new.clone()),
        // Metron's client may put another tree at another path; the same path keeps what was imported from it.
        (Some(_), None) if old.path != path => {
            desired.digest = None;
            replaced.push(format!("payload at {path} instead of {}", old.path));
        }
        _ => {}
    }
    desired.path = path;
    desired.count = after;
    desired.generation = old.generation.saturating_add(1);
    desired.purge = false;
    desired.purged = false;
    desired.request = arrival.id.to_string();
    if request.extra.by.is_some() {
        desired.by = request.extra.by.clone();
    }
    if !runs {
        desired.published = arrival.time;
    }
    let replaced = (runs && !replaced.is_empty()).then(|| replaced.join(", "));
    let note = replaced.as_ref().map(|what| format!("new instances get {what}")).unwrap_or_default();
    Decision::Accept(Box::new(Change { desired, spec, before: old.count, note, replaced }))
}

fn decide_remove(request: &ModelRequest, arrival: Arrival<'_>, current: Option<&Version>) -> Decision {
    let asked = request.num_instances;
    if asked == 0 {
        return refuse(ErrorCode::CountMax, "0 instances; REMOVE takes 1 or more".to_string());
    }
    let Some(version) = current else {
        return refuse(ErrorCode::NoVersion, format!("{} was never asked for", request.model));
    };
    let before = version.desired.count;
    let mut desired = version.desired.clone();
    desired.count = before.saturating_sub(asked);
    desired.request = arrival.id.to_string();
    desired.purge = desired.count == 0 && (request.extra.purge || (before == 0 && desired.purge));
    let mut notes = Vec::new();
    match before {
        0 => notes.push("none was wanted".to_string()),
        _ if asked > before => notes.push(format!("{asked} asked, all {before} taken")),
        _ => {}
    }
    if request.extra.purge && desired.count > 0 {
        notes.push(format!("payload kept, {} still wanted", desired.count));
    }
    let change = Change { desired, spec: version.spec.clone(), before, note: notes.join("; "), replaced: None };
    Decision::Accept(Box::new(change))
}

fn decide_scale(request: &ModelRequest, arrival: Arrival<'_>, current: Option<&Version>, policy: &Policy) -> Decision {
    let asked = request.num_instances;
    if asked > policy.most_of_version {
        let reason = format!("{asked} instances; at most {} of a version", policy.most_of_version);
        return refuse(ErrorCode::CountMax, reason);
    }
    let Some(version) = current else {
        return refuse(ErrorCode::NoVersion, format!("{} was never asked for; ADD it first", request.model));
    };
    if asked > 0
        && let Some(refused) = refuse_while_purged(request, version)
    {
        return refused;
    }
    if asked > 0 && version.desired.purged {
        let reason = format!("the payload of {} was purged; ADD publishes it again", request.model);
        return refuse(ErrorCode::NoPayload, reason);
    }
    let before = version.desired.count;
    let mut desired = version.desired.clone();
    desired.count = asked;
    desired.request = arrival.id.to_string();
    desired.purge = desired.purge && asked == 0;
    let note = if before == asked { "it was so already".to_string() } else { String::new() };
    Decision::Accept(Box::new(Change { desired, spec: version.spec.clone(), before, note, replaced: None }))
}

fn words(resources: &Resources) -> String {
    let mut text = format!("{} MB", resources.memory_mb);
    let default = Resources::default();
    if resources.vcores != default.vcores {
        text.push_str(&format!(", {} vcores", resources.vcores));
    }
    if resources.gpus != default.gpus {
        text.push_str(&format!(", {} GPUs", resources.gpus));
    }
    if !resources.label.is_empty() {
        text.push_str(&format!(", label {}", resources.label));
    }
    text
}
