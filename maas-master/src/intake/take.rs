//! Taking messages from the queue, each exactly once in effect: one transaction deletes the message, writes what was
//! decided and records the outcome, under the term's fence. Several messages share a transaction.
//!
//! [`compose`] is pure; [`Intake`](super::queue::Intake) sends what it composed and looks at the tree where the outcome
//! is in doubt.

use super::{Arrival, Decision, decide};
use crate::desired::{History, Version, paths_overlap};
use crate::leader::Term;
use crate::outbox::{EventExt, event};
use crate::policy::Policy;
use base64::Engine as _;
use jiff::Timestamp;
use maas_cli::ErrorCode;
use maas_client::config::Roots;
use maas_client::event::Event;
use maas_client::model::{ModelId, ModelName};
use maas_client::reason::chain;
use maas_client::request::ModelRequest;
use maas_client::state::{Outcome, Rejected, RequestRecord, Spec};
use maas_client::tree::{Access, Mode, Op};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Longest bytes of one node of ours.
pub const NODE_LIMIT: usize = 64 << 10;
/// What one transaction may carry; leaves room below the protocol's 512 KiB.
const MULTI_LIMIT: usize = 400 << 10;

/// A queue's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its node's name.
    pub child: String,
    /// Name and creation transaction.
    pub id: String,
    /// Its bytes.
    pub data: Vec<u8>,
    /// Its node's data version.
    pub version: i32,
    /// When it was enqueued by the server's clock, ms since epoch.
    pub ctime_ms: i64,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A request.
    Request(Box<ModelRequest>),
    /// The literal `null` that Metron's LIST leaves: only counted.
    Null,
    /// Nothing that can be read.
    Bad(String),
}

/// Reads a message. Total: nothing in it is fatal.
pub fn read(data: &[u8], policy: &Policy) -> Content {
    if data.len() > policy.longest_message {
        return Content::Bad(format!("{} bytes; at most {}", data.len(), policy.longest_message));
    }
    if data.trim_ascii() == b"null" {
        return Content::Null;
    }
    match ModelRequest::decode(data) {
        Ok(request) => Content::Request(Box::new(request)),
        Err(error) => Content::Bad(chain(&error)),
    }
}

/// What a message came to, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The wanted number was changed.
    Accepted,
    /// Refused with a reason.
    Refused,
    /// Was there before.
    Duplicate,
    /// Set aside.
    Rejected,
    /// A literal `null`.
    Null,
}

/// A transaction and what follows from its success.
#[derive(Debug, Default)]
pub struct Batch {
    /// How many messages, from the first on, it takes.
    pub taken: usize,
    /// Its parts, the fence first.
    pub ops: Vec<Op>,
    /// What each message came to.
    pub kinds: Vec<Kind>,
    /// Versions as they are afterwards.
    pub versions: BTreeMap<ModelId, Arc<Version>>,
    /// Names whose parent node it makes.
    pub names: BTreeSet<ModelName>,
    /// What happened.
    pub events: Vec<Event>,
}

/// What [`compose`] goes by.
pub struct Context<'a> {
    /// The lead.
    pub term: &'a Term,
    /// Where nodes live.
    pub roots: &'a Roots,
    /// The knobs.
    pub policy: &'a Policy,
    /// When.
    pub time: Timestamp,
    /// What is wanted now.
    pub versions: &'a BTreeMap<ModelId, Arc<Version>>,
    /// Names that have a node already.
    pub names: &'a BTreeSet<ModelName>,
    /// Idempotency keys known to be used, with the request that used each.
    pub used_ids: &'a HashMap<String, String>,
}

/// Puts as many messages as fit into one transaction. Pure.
pub fn compose(messages: &[Message], context: &Context<'_>) -> Batch {
    let mut batch = Batch { ops: vec![context.term.fence()], ..Batch::default() };
    let mut bytes = 0;
    let mut ids: HashMap<String, String> = HashMap::new();
    for message in messages.iter().take(context.policy.intake_batch) {
        // A version's nodes are written once at the end; each message can at most double them.
        bytes += message.data.len().min(NODE_LIMIT) + 2048;
        if bytes > MULTI_LIMIT && batch.taken > 0 {
            break;
        }
        batch.taken += 1;
        batch.ops.push(Op::delete(context.roots.queue_child(&message.child), Some(message.version)));
        let kind = match read(&message.data, context.policy) {
            Content::Null => Kind::Null,
            Content::Bad(reason) => set_aside(&mut batch, message, context, &reason),
            Content::Request(request) => {
                let used = request.extra.id.as_ref().and_then(|id| ids.get(id).or_else(|| context.used_ids.get(id)));
                match used.cloned() {
                    Some(first) => duplicate(&mut batch, message, &request, &first, context),
                    None => {
                        if let Some(id) = &request.extra.id {
                            ids.insert(id.clone(), message.id.clone());
                        }
                        take_request(&mut batch, message, &request, context)
                    }
                }
            }
        };
        batch.kinds.push(kind);
    }
    write_versions(&mut batch, context);
    batch
}

fn take_request(batch: &mut Batch, message: &Message, request: &ModelRequest, context: &Context<'_>) -> Kind {
    let model = &request.model;
    let current = batch.versions.get(model).or_else(|| context.versions.get(model)).cloned();
    let arrival = Arrival { id: &message.id, time: context.time };
    let mut decision = decide(request, arrival, current.as_deref(), context.policy);
    if let Decision::Accept(change) = &decision {
        if let Some(reason) = too_large(&change.spec, &change.desired) {
            decision = Decision::Refuse { code: ErrorCode::BadRequest, reason };
        } else if change.desired.count > 0
            && let Some(purged) = purged_around(&change.desired.path, model, batch, context)
        {
            let reason = format!("{purged} is being removed with its payload, which lies there too; ask again later");
            decision = Decision::Refuse { code: ErrorCode::Conflict, reason };
        }
    }
    let by = request.extra.by.as_deref();
    let mut record = record_of(message, request, context);
    let kind = match decision {
        Decision::Accept(change) => {
            record.outcome = Outcome::Accepted;
            record.before = change.before;
            record.after = change.desired.count;
            record.reason = change.note.clone();
            let text = format!("{} to {} wanted", change.before, change.desired.count);
            let text = if change.note.is_empty() { text } else { format!("{text}; {}", change.note) };
            let kind = event("RequestAccepted", context.time).of(model).because(text).by_request(&message.id, by);
            batch.events.push(kind);
            if let Some(what) = &change.replaced {
                let text = format!("new instances get {what}");
                batch
                    .events
                    .push(event("SpecReplaced", context.time).of(model).because(text).by_request(&message.id, by));
            }
            let generation = change.desired.generation;
            let version = match &current {
                Some(old) => Version {
                    desired: change.desired,
                    spec: change.spec,
                    history: old.history.clone().of_generation(generation),
                    ..(**old).clone()
                },
                None => Version {
                    desired: change.desired,
                    node_version: 0,
                    spec: change.spec,
                    spec_version: None,
                    history: History::default().of_generation(generation),
                },
            };
            batch.versions.insert(model.clone(), Arc::new(version));
            Kind::Accepted
        }
        Decision::Refuse { code, reason } => {
            record.outcome = Outcome::Refused;
            record.code = Some(code.as_str().to_string());
            let count = current.as_ref().map_or(0, |version| version.desired.count);
            (record.before, record.after) = (count, count);
            let refused = event("RequestRefused", context.time).of(model).because(&reason);
            batch.events.push(refused.by_request(&message.id, by));
            record.reason = reason;
            Kind::Refused
        }
    };
    push_record(batch, &record, context);
    if let Some(uuid) = &request.extra.id {
        batch.ops.push(Op::create(context.roots.id(uuid), message.id.as_bytes()));
    }
    kind
}

/// Another version whose payload is being taken away at this path, above or below it.
fn purged_around<'c>(path: &str, but: &ModelId, batch: &'c Batch, context: &'c Context<'_>) -> Option<&'c ModelId> {
    let known = context.versions.iter().map(|(model, version)| (model, batch.versions.get(model).unwrap_or(version)));
    let mut others = known.filter(|(model, version)| *model != but && version.desired.purge);
    others.find(|(_, version)| paths_overlap(&version.desired.path, path)).map(|(model, _)| model)
}

fn duplicate(batch: &mut Batch, message: &Message, request: &ModelRequest, first: &str, context: &Context<'_>) -> Kind {
    let mut record = record_of(message, request, context);
    record.outcome = Outcome::Duplicate;
    record.duplicate_of = Some(first.to_string());
    record.reason = format!("duplicate of {first}");
    push_record(batch, &record, context);
    Kind::Duplicate
}

fn set_aside(batch: &mut Batch, message: &Message, context: &Context<'_>, reason: &str) -> Kind {
    let kept = &message.data[..message.data.len().min(context.policy.rejected_bytes)];
    let rejected = Rejected {
        id: message.id.clone(),
        message: base64::engine::general_purpose::STANDARD.encode(kept),
        length: message.data.len() as u64,
        sha256: hex(&Sha256::digest(&message.data)),
        reason: cut(reason, 1024),
        time: context.time,
    };
    batch.ops.push(Op::Create {
        path: context.roots.rejection(&message.id),
        data: to_bytes(&rejected),
        mode: Mode::Persistent,
        access: Access::Private,
    });
    let text = format!("{}: {}", message.id, rejected.reason);
    batch.events.push(event("MessageRejected", context.time).because(text).by_request(&message.id, None));
    Kind::Rejected
}

fn record_of(message: &Message, request: &ModelRequest, context: &Context<'_>) -> RequestRecord {
    RequestRecord {
        id: message.id.clone(),
        action: request.action,
        name: request.model.name.clone(),
        version: request.model.version.clone(),
        num_instances: request.num_instances,
        outcome: Outcome::Accepted,
        code: None,
        reason: String::new(),
        before: 0,
        after: 0,
        duplicate_of: None,
        time: context.time,
        by: request.extra.by.clone(),
    }
}

fn push_record(batch: &mut Batch, record: &RequestRecord, context: &Context<'_>) {
    batch.ops.push(Op::create(context.roots.request(&record.id), to_bytes(record)));
}

/// Writes each changed version once, with the parents it lacks.
fn write_versions(batch: &mut Batch, context: &Context<'_>) {
    for (model, version) in &mut batch.versions {
        let path = context.roots.desired(model);
        let spec_path = context.roots.spec(model);
        let version = Arc::make_mut(version);
        let old = context.versions.get(model);
        match old {
            Some(old) => {
                batch.ops.push(Op::set(&path, to_bytes(&version.desired), Some(old.node_version)));
                version.node_version = old.node_version.wrapping_add(1);
            }
            None => {
                if !context.names.contains(&model.name) && batch.names.insert(model.name.clone()) {
                    batch.ops.push(Op::create(context.roots.model(model.name.as_str()), Vec::new()));
                }
                batch.ops.push(Op::create(&path, to_bytes(&version.desired)));
                version.node_version = 0;
            }
        }
        let old_spec = old.map(|old| &old.spec);
        match old.and_then(|old| old.spec_version) {
            Some(_) if old_spec == Some(&version.spec) => {}
            Some(there) => {
                batch.ops.push(Op::set(&spec_path, to_bytes(&version.spec), Some(there)));
                version.spec_version = Some(there.wrapping_add(1));
            }
            None if version.spec == Spec::default() => {}
            None => {
                batch.ops.push(Op::Create {
                    path: spec_path,
                    data: to_bytes(&version.spec),
                    mode: Mode::Persistent,
                    access: Access::Private,
                });
                version.spec_version = Some(0);
            }
        }
    }
}

fn too_large(spec: &Spec, desired: &maas_client::state::Desired) -> Option<String> {
    let bytes = to_bytes(spec).len().max(to_bytes(desired).len());
    (bytes > NODE_LIMIT).then(|| format!("environment and secrets take {bytes} bytes; at most {NODE_LIMIT}"))
}

/// Our own state types have only text keys and finite numbers, so their JSON can't fail.
pub(crate) fn to_bytes<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn cut(text: &str, most: usize) -> String {
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= most).last().unwrap_or(0);
    if text.len() <= most { text.to_string() } else { format!("{}…", &text[..end]) }
}
