//! Batches of messages as one transaction, applied to a tree: what stands there afterwards is what was decided.

use super::{metrons, ours};
use crate::desired::Version;
use crate::fixture;
use crate::intake::take::{Batch, Content, Context, Kind, Message, compose, read};
use crate::leader::{Attempt, Term, attempt};
use crate::policy::Policy;
use base64::Engine as _;
use maas_client::config::Roots;
use maas_client::model::{ModelId, ModelName};
use maas_client::paths::request_id;
use maas_client::request::Action;
use maas_client::state::{Desired, Outcome, Rejected, RequestRecord, Spec};
use maas_client::state_store;
use maas_client::tree::memory::MemoryServer;
use maas_client::tree::{Access, Mode, Op, SharedTree, TreeExt};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

const KEY: &str = "0f0e0d0c-0000-4000-8000-000000000001";

/// A leader's view of a tree: what it took before is in its maps.
struct Bed {
    tree: SharedTree,
    roots: Roots,
    policy: Policy,
    term: Term,
    versions: BTreeMap<ModelId, Arc<Version>>,
    names: BTreeSet<ModelName>,
    used_ids: HashMap<String, String>,
}

impl Bed {
    async fn new() -> Bed {
        let tree: SharedTree = MemoryServer::new().session();
        let roots = Roots::default();
        state_store::ensure_roots(&tree, &roots, false).await.unwrap();
        let Attempt::Won(term) = attempt(&tree, &roots, fixture::leader()).await.unwrap() else { panic!("lost") };
        let policy = Policy::default();
        let (versions, names, used_ids) = Default::default();
        Bed { tree, roots, policy, term, versions, names, used_ids }
    }

    async fn put(&self, data: Vec<u8>) -> Message {
        let prefix = self.roots.queue_prefix();
        let (path, stat) =
            self.tree.create(&prefix, data.clone(), Mode::PersistentSequential, Access::Open).await.unwrap();
        let child = path.rsplit('/').next().unwrap().to_string();
        let id = request_id(&child, stat.czxid);
        Message { child, id, data, version: stat.version, ctime_ms: stat.ctime_ms }
    }

    fn compose(&self, messages: &[Message]) -> Batch {
        compose(
            messages,
            &Context {
                term: &self.term,
                roots: &self.roots,
                policy: &self.policy,
                time: fixture::time(),
                versions: &self.versions,
                names: &self.names,
                used_ids: &self.used_ids,
            },
        )
    }

    /// Composes and does it, and notes what follows as the intake does.
    async fn take(&mut self, messages: &[Message]) -> Batch {
        let batch = self.compose(messages);
        self.tree.multi(batch.ops.clone()).await.unwrap();
        self.versions.extend(batch.versions.clone());
        self.names.extend(batch.names.clone());
        batch
    }

    async fn json<T: DeserializeOwned + Send>(&self, path: String) -> T {
        self.tree.get_json(&path).await.unwrap().unwrap_or_else(|| panic!("no {path}")).0.unwrap()
    }

    async fn record(&self, message: &Message) -> RequestRecord {
        self.json(self.roots.request(&message.id)).await
    }

    async fn waiting(&self) -> usize {
        self.tree.children(&self.roots.queue).await.unwrap().unwrap().len()
    }
}

fn dga() -> ModelId {
    fixture::model("dga", "1.0")
}

#[test]
fn every_message_is_read_as_something() {
    let policy = Policy::default();
    assert_eq!(read(b"null", &policy), Content::Null);
    assert_eq!(read(b" null\n", &policy), Content::Null);
    let good = metrons(Action::Add, &dga(), 1);
    assert_eq!(read(&good.encode(), &policy), Content::Request(Box::new(good)));
    let long = vec![b' '; policy.longest_message + 1];
    assert_eq!(read(&long, &policy), Content::Bad("262145 bytes; at most 262144".to_string()));
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    for bad in [&b""[..], b"{", b"\xff\xfe", b"nul", b"[]", &deep] {
        assert!(matches!(read(bad, &policy), Content::Bad(reason) if !reason.is_empty()));
    }
}

#[tokio::test]
async fn a_first_add_writes_the_version_with_its_parent_and_the_outcome() {
    let mut bed = Bed::new().await;
    let message = bed.put(ours(Action::Add, &dga(), 2).encode()).await;
    let batch = bed.take(std::slice::from_ref(&message)).await;
    assert_eq!((batch.taken, batch.kinds), (1, vec![Kind::Accepted]));
    let desired: Desired = bed.json(bed.roots.desired(&dga())).await;
    assert_eq!((desired.count, desired.request), (2, message.id.clone()));
    let record = bed.record(&message).await;
    assert_eq!((record.outcome, record.before, record.after), (Outcome::Accepted, 0, 2));
    assert_eq!(bed.waiting().await, 0);
    assert_eq!(batch.events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["RequestAccepted"]);
    assert!(bed.tree.get(&bed.roots.spec(&dga())).await.unwrap().is_none(), "an empty spec has no node");
}

#[tokio::test]
async fn what_the_leader_notes_is_what_the_tree_has() {
    let mut bed = Bed::new().await;
    for round in 1..=3u32 {
        let mut request = ours(Action::Add, &dga(), 1);
        request.extra.update = true;
        request.extra.env.insert("ROUND".into(), round.to_string());
        let message = bed.put(request.encode()).await;
        bed.take(&[message]).await;
        let noted = bed.versions[&dga()].clone();
        let node = bed.tree.get(&bed.roots.desired(&dga())).await.unwrap().unwrap();
        assert_eq!(noted.node_version, node.stat.version);
        let spec = bed.tree.get(&bed.roots.spec(&dga())).await.unwrap().unwrap();
        assert_eq!(noted.spec_version, Some(spec.stat.version));
        let spec: Spec = serde_json::from_slice(&spec.data).unwrap();
        assert_eq!((&spec, spec.env["ROUND"].as_str()), (&noted.spec, round.to_string().as_str()));
    }
    let again = bed.put(metrons(Action::Add, &dga(), 1).encode()).await;
    let batch = bed.take(&[again]).await;
    assert!(!batch.ops.iter().any(|op| op.path() == bed.roots.spec(&dga())), "an unchanged spec is not written");
}

#[tokio::test]
async fn messages_of_one_batch_see_each_other_and_a_version_is_written_once() {
    let mut bed = Bed::new().await;
    let other = fixture::model("dga", "2.0");
    let mut messages = Vec::new();
    for request in [
        metrons(Action::Add, &dga(), 2),
        metrons(Action::Remove, &dga(), 1),
        metrons(Action::Add, &other, 1),
        metrons(Action::Add, &dga(), 3),
    ] {
        messages.push(bed.put(request.encode()).await);
    }
    let batch = bed.take(&messages).await;
    assert_eq!(batch.kinds, [Kind::Accepted; 4]);
    let mut numbers = Vec::new();
    for message in &messages {
        let record = bed.record(message).await;
        numbers.push((record.before, record.after));
    }
    assert_eq!(numbers, [(0, 2), (2, 1), (0, 1), (1, 4)]);
    let desired: Desired = bed.json(bed.roots.desired(&dga())).await;
    assert_eq!((desired.count, bed.waiting().await), (4, 0));
    let writes = batch.ops.iter().filter(|op| op.path() == bed.roots.desired(&dga())).count();
    let parents = batch.ops.iter().filter(|op| op.path() == bed.roots.model("dga")).count();
    assert_eq!((writes, parents), (1, 1));
}

#[tokio::test]
async fn a_refusal_is_recorded_and_changes_nothing() {
    let mut bed = Bed::new().await;
    let message = bed.put(metrons(Action::Remove, &dga(), 1).encode()).await;
    let batch = bed.take(std::slice::from_ref(&message)).await;
    assert_eq!(batch.kinds, [Kind::Refused]);
    let record = bed.record(&message).await;
    assert_eq!((record.outcome, record.code.as_deref()), (Outcome::Refused, Some("no_version")));
    assert!(batch.versions.is_empty() && bed.tree.get(&bed.roots.desired(&dga())).await.unwrap().is_none());
    assert_eq!(batch.events[0].kind, "RequestRefused");
}

#[tokio::test]
async fn a_key_works_once_within_a_batch_and_across_batches() {
    let mut bed = Bed::new().await;
    let mut request = ours(Action::Add, &dga(), 2);
    request.extra.id = Some(KEY.to_string());
    let (first, second) = (bed.put(request.encode()).await, bed.put(request.encode()).await);
    let batch = bed.take(&[first.clone(), second.clone()]).await;
    assert_eq!(batch.kinds, [Kind::Accepted, Kind::Duplicate]);
    let record = bed.record(&second).await;
    assert_eq!((record.outcome, record.duplicate_of), (Outcome::Duplicate, Some(first.id.clone())));
    let owner = bed.tree.get(&bed.roots.id(KEY)).await.unwrap().unwrap();
    assert_eq!(owner.data, first.id.as_bytes());
    // Another batch runs into the key's node, so that it is found out and composed again.
    let third = bed.put(request.encode()).await;
    let failed = bed.tree.multi(bed.compose(std::slice::from_ref(&third)).ops).await.unwrap_err();
    assert_eq!(failed.error, maas_client::tree::Error::NodeExists { path: bed.roots.id(KEY) });
    bed.used_ids.insert(KEY.to_string(), first.id.clone());
    assert_eq!(bed.take(&[third]).await.kinds, [Kind::Duplicate]);
    assert_eq!(bed.json::<Desired>(bed.roots.desired(&dga())).await.count, 2);
}

#[tokio::test]
async fn what_can_not_be_read_is_set_aside_with_its_beginning_and_its_digest() {
    let mut bed = Bed::new().await;
    let message = bed.put(vec![b'x'; 10_000]).await;
    let batch = bed.take(std::slice::from_ref(&message)).await;
    assert_eq!(batch.kinds, [Kind::Rejected]);
    let rejected: Rejected = bed.json(bed.roots.rejection(&message.id)).await;
    let kept = base64::engine::general_purpose::STANDARD.decode(&rejected.message).unwrap();
    assert_eq!((rejected.length, kept.len(), rejected.sha256.len()), (10_000, 4_096, 64));
    assert!(rejected.reason.contains("no JSON"), "{}", rejected.reason);
    assert!(bed.tree.get(&bed.roots.request(&message.id)).await.unwrap().is_none());
    let private = batch.ops.iter().any(|op| matches!(op, Op::Create { access: Access::Private, .. }));
    assert!(private, "what somebody put there may be a secret");
    assert_eq!(batch.events[0].kind, "MessageRejected");
}

#[tokio::test]
async fn a_null_is_only_taken_away() {
    let mut bed = Bed::new().await;
    let message = bed.put(b"null".to_vec()).await;
    let batch = bed.take(&[message]).await;
    assert_eq!((batch.kinds, batch.ops.len(), bed.waiting().await), (vec![Kind::Null], 2, 0));
    assert!(batch.events.is_empty());
}

#[tokio::test]
async fn a_batch_is_bounded_in_messages_and_bytes_and_always_takes_one() {
    let bed = Bed::new().await;
    let small = bed.put(b"null".to_vec()).await;
    let many = vec![small; 100];
    assert_eq!(bed.compose(&many).taken, bed.policy.intake_batch);
    let large = bed.put(vec![b'x'; 200_000]).await;
    let batch = bed.compose(&vec![large; 20]);
    let bytes: usize = batch.ops.iter().map(Op::size).sum();
    assert!((1..20).contains(&batch.taken) && bytes < 512 << 10, "{} messages, {bytes} bytes", batch.taken);
}

#[tokio::test]
async fn an_environment_larger_than_a_node_is_refused() {
    let mut bed = Bed::new().await;
    let mut request = ours(Action::Add, &dga(), 1);
    request.extra.env = (0..40).map(|number| (format!("K{number}"), "v".repeat(2_000))).collect();
    let message = bed.put(request.encode()).await;
    let kinds = bed.take(std::slice::from_ref(&message)).await.kinds;
    let outcome = (kinds, bed.record(&message).await.code);
    assert_eq!(outcome, (vec![Kind::Refused], Some("bad_request".to_string())));
}

#[tokio::test]
async fn a_former_leaders_batch_does_nothing_at_all() {
    let bed = Bed::new().await;
    let message = bed.put(metrons(Action::Add, &dga(), 1).encode()).await;
    let batch = bed.compose(std::slice::from_ref(&message));
    bed.tree.multi(vec![Op::set(bed.roots.epoch(), Vec::new(), None)]).await.unwrap();
    let failed = bed.tree.multi(batch.ops).await.unwrap_err();
    assert!(bed.term.is_over_by(&failed), "{failed:?}");
    assert_eq!(bed.waiting().await, 1);
    assert!(bed.tree.get(&bed.roots.request(&message.id)).await.unwrap().is_none());
}
