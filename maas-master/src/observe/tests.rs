//! The mirror over the memory tree: what it reads, what it notices, and what it reads again.

use super::*;
use crate::fixture;
use maas_client::reason::{Reason, ReasonCode, VersionState};
use maas_client::registry::{Registration, default_functions};
use maas_client::state_store;
use maas_client::tree::memory::{MemoryServer, MemoryTree};
use maas_client::tree::{Op, Tree};

const ID: &str = "3-1-aaaa";

/// A mirror, the master's session that it looks through, and another session that changes things.
struct Bed {
    mirror: Mirror,
    master: Arc<MemoryTree>,
    other: Arc<MemoryTree>,
    roots: Roots,
}

impl Bed {
    async fn new() -> Bed {
        let server = MemoryServer::new();
        let (master, other) = (server.session(), server.session());
        let tree: SharedTree = master.clone();
        let roots = Roots::default();
        state_store::ensure_roots(&tree, &roots, false).await.unwrap();
        let mut bed = Bed {
            mirror: Mirror::open(tree, roots.clone(), Policy::default(), Clock::start()).await.unwrap(),
            master,
            other,
            roots,
        };
        bed.mirror.registrations_changed = false;
        bed.write(vec![Op::create(bed.roots.service("dga"), vec![])]).await;
        bed
    }

    async fn write(&self, ops: Vec<Op>) {
        self.other.multi(ops).await.unwrap();
    }

    async fn want(&self, count: u32) {
        let desired = serde_json::to_vec(&fixture::version(count, vec![]).desired).unwrap();
        let parent = Op::create(self.roots.model("dga"), vec![]);
        self.write(vec![parent, Op::create(self.roots.desired(&dga()), desired)]).await;
    }

    async fn record(&self) {
        let record = serde_json::to_vec(&fixture::instance(ID, &dga(), true).record).unwrap();
        self.write(vec![Op::create(self.roots.instance(ID), record)]).await;
    }

    fn claim(&self, state: InstanceState) -> Vec<u8> {
        serde_json::to_vec(&Claim { state, ..fixture::instance(ID, &dga(), true).claim.clone().unwrap() }).unwrap()
    }

    fn registration(&self) -> Op {
        let registration = Registration {
            model: dga(),
            id: ID.to_string(),
            url: "http://node1:1234".to_string(),
            functions: default_functions(),
            registered_ms: 1,
        };
        Op::create_ephemeral(self.roots.registration("dga", ID), registration.encode())
    }

    async fn refresh(&mut self) {
        self.mirror.refresh().await.unwrap();
    }

    fn instance(&self) -> &Instance {
        &self.mirror.instances[ID]
    }
}

fn dga() -> ModelId {
    fixture::model("dga", "1.0")
}

#[tokio::test]
async fn an_instance_is_followed_from_record_to_registration_and_away_again() {
    let mut bed = Bed::new().await;
    bed.want(1).await;
    bed.record().await;
    bed.refresh().await;
    assert_eq!(bed.mirror.versions[&dga()].desired.count, 1);
    assert!(bed.instance().claim.is_none() && bed.instance().unclaimed_since.is_some());
    let claim = Op::create_ephemeral(bed.roots.claim(ID), bed.claim(InstanceState::Ready));
    bed.write(vec![claim, bed.registration()]).await;
    bed.refresh().await;
    let instance = bed.instance();
    assert!(instance.claim.is_some() && instance.was_claimed && instance.unclaimed_since.is_none());
    assert_eq!(instance.registered.as_deref(), Some("http://node1:1234"));
    assert!(std::mem::take(&mut bed.mirror.registrations_changed));
    bed.other.expire();
    bed.refresh().await;
    let instance = bed.instance();
    assert!(instance.claim.is_none() && instance.was_claimed && instance.unclaimed_since.is_some());
    assert_eq!((instance.registered.as_deref(), bed.mirror.endpoints.len()), (None, 0));
    bed.write(vec![Op::delete(bed.roots.instance(ID), None)]).await;
    bed.refresh().await;
    assert!(bed.mirror.instances.is_empty());
}

#[tokio::test]
async fn nothing_is_read_when_nothing_changed() {
    let mut bed = Bed::new().await;
    bed.record().await;
    bed.refresh().await;
    let before = bed.mirror.instances[ID].clone();
    bed.refresh().await;
    assert!(Arc::ptr_eq(&before, &bed.mirror.instances[ID]), "the same instance is not copied either");
}

#[tokio::test]
async fn what_went_while_the_connection_was_lost_is_missed_by_no_one() {
    let mut bed = Bed::new().await;
    bed.want(1).await;
    bed.record().await;
    let claim = Op::create_ephemeral(bed.roots.claim(ID), bed.claim(InstanceState::Ready));
    bed.write(vec![claim, bed.registration()]).await;
    bed.refresh().await;
    bed.mirror.registrations_changed = false;
    bed.master.disconnect();
    bed.other.expire();
    bed.write(vec![Op::delete(bed.roots.instance(ID), None), Op::delete(bed.roots.desired(&dga()), None)]).await;
    bed.mirror.mark_stale();
    assert!(bed.mirror.refresh().await.is_err());
    assert_eq!(bed.mirror.instances.len(), 1, "what was known stands until it is known better");
    bed.master.reconnect();
    bed.refresh().await;
    assert!(bed.mirror.instances.is_empty() && bed.mirror.versions.is_empty() && bed.mirror.endpoints.is_empty());
    assert!(bed.mirror.registrations_changed, "the last registration going is a change too");
}

#[tokio::test]
async fn ready_without_its_registration_is_read_again_the_claim_last() {
    let mut bed = Bed::new().await;
    bed.record().await;
    bed.refresh().await;
    let ready = Node { data: bed.claim(InstanceState::Ready), stat: Default::default() };
    let starting = Node { data: bed.claim(InstanceState::Starting), stat: Default::default() };
    let claim = || Place::Claim(ID.to_string());
    let registration = || Place::Registration("dga".to_string(), ID.to_string());
    let again = bed.mirror.halves(&[(claim(), Some(ready.clone()))]);
    assert_eq!(again, [registration(), claim()]);
    // Read before the two were written, and the registration after it: both are there by now.
    let again = bed.mirror.halves(&[(claim(), Some(ready.clone())), (registration(), None)]);
    assert_eq!(again, [registration(), claim()]);
    // Nothing is doubtful about these.
    let there = Node { data: vec![], stat: Default::default() };
    for read in [
        vec![(claim(), Some(ready.clone())), (registration(), Some(there))],
        vec![(claim(), Some(starting))],
        vec![(claim(), None), (registration(), None)],
        vec![(Place::Claim("of-nobody".to_string()), Some(ready))],
    ] {
        assert_eq!(bed.mirror.halves(&read), [], "{read:?}");
    }
}

#[tokio::test]
async fn a_registration_that_goes_from_a_claim_known_to_be_ready_is_looked_into() {
    let mut bed = Bed::new().await;
    bed.record().await;
    let claim = Op::create_ephemeral(bed.roots.claim(ID), bed.claim(InstanceState::Ready));
    bed.write(vec![claim, bed.registration()]).await;
    bed.refresh().await;
    let registration = Place::Registration("dga".to_string(), ID.to_string());
    let again = bed.mirror.halves(&[(registration.clone(), None)]);
    assert_eq!(again, [registration, Place::Claim(ID.to_string())]);
    // Unready in the same transaction: the second look sees both, and no reason of ours is made up.
    let unready = Op::set(bed.roots.claim(ID), bed.claim(InstanceState::Unready), None);
    bed.write(vec![Op::delete(bed.roots.registration("dga", ID), None), unready]).await;
    bed.refresh().await;
    assert_eq!(bed.instance().state(), (InstanceState::Unready, None));
}

#[tokio::test]
async fn what_can_not_be_read_leaves_what_was_known() {
    let mut bed = Bed::new().await;
    bed.want(3).await;
    bed.record().await;
    bed.refresh().await;
    let before = bed.mirror.instances[ID].record.clone();
    for path in [bed.roots.desired(&dga()), bed.roots.instance(ID)] {
        bed.write(vec![Op::set(path, b"{".to_vec(), None)]).await;
    }
    bed.write(vec![Op::create_ephemeral(bed.roots.claim(ID), b"[]".to_vec())]).await;
    bed.write(vec![Op::create_ephemeral(bed.roots.registration("dga", ID), b"no".to_vec())]).await;
    bed.refresh().await;
    assert_eq!(bed.mirror.versions[&dga()].desired.count, 3);
    assert_eq!(bed.instance().record, before);
    assert!(bed.instance().claim.is_none() && bed.mirror.endpoints.is_empty());
}

#[tokio::test]
async fn a_new_leader_knows_what_was_claimed_before_it() {
    let mut bed = Bed::new().await;
    bed.record().await;
    let claim = Op::create_ephemeral(bed.roots.claim(ID), bed.claim(InstanceState::Ready));
    bed.write(vec![claim]).await;
    bed.other.expire();
    bed.refresh().await;
    assert!(bed.instance().claim.is_none() && bed.instance().was_claimed);
}

#[tokio::test]
async fn what_this_master_wrote_is_not_undone_by_an_older_answer() {
    let mut bed = Bed::new().await;
    bed.record().await;
    bed.refresh().await;
    let old = bed.instance().record.clone();
    let reason = Some(Reason::new(ReasonCode::Removed, "1 wanted"));
    let told = InstanceRecord { wanted: Wanted::Stop, reason, ..old.clone() };
    bed.mirror.put_record(ID.to_string(), told, 1);
    bed.mirror.put_record(ID.to_string(), old, 0);
    assert_eq!(bed.instance().record.wanted, Wanted::Stop);
    assert!(bed.instance().stopping_since.is_some());
    bed.mirror.drop_instance(ID);
    assert!(bed.mirror.instances.is_empty());
}

#[tokio::test]
async fn a_new_leader_takes_over_the_failures_that_the_last_one_counted() {
    let mut bed = Bed::new().await;
    bed.want(1).await;
    let status = Status {
        state: VersionState::Failed,
        reason: None,
        ready: 0,
        desired: 1,
        failures: 4,
        restarts: 4,
        backoff_ms: 2_000,
        generation: 1,
        ended: vec![],
        events: vec![],
    };
    let bytes = serde_json::to_vec(&status).unwrap();
    bed.write(vec![Op::create(bed.roots.status(&dga()), bytes)]).await;
    bed.mirror.mark_stale();
    bed.refresh().await;
    let history = &bed.mirror.versions[&dga()].history;
    assert_eq!((history.failures, history.restarts), (4, 4));
    assert!(history.retry_at.is_some());
    // Later this master knows better than what stands there.
    bed.write(vec![Op::set(bed.roots.status(&dga()), b"{}".to_vec(), None)]).await;
    bed.mirror.mark_stale();
    bed.refresh().await;
    assert_eq!(bed.mirror.versions[&dga()].history.failures, 4);
}
