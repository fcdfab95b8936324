//! Elections over the memory tree: one wins, a lost answer is found again, a former leader writes nothing.

use super::*;
use crate::fixture;
use maas_client::state_store;
use maas_client::tree::Tree;
use maas_client::tree::memory::{MemoryServer, MemoryTree};
use std::sync::Arc;

struct Bed {
    server: MemoryServer,
    roots: Roots,
}

impl Bed {
    async fn new() -> Bed {
        let bed = Bed { server: MemoryServer::new(), roots: Roots::default() };
        let tree: SharedTree = bed.server.session();
        state_store::ensure_roots(&tree, &bed.roots, false).await.unwrap();
        bed
    }

    async fn attempt(&self, tree: &Arc<MemoryTree>) -> Attempt {
        let tree: SharedTree = tree.clone();
        attempt(&tree, &self.roots, fixture::leader()).await.unwrap()
    }

    async fn win(&self, tree: &Arc<MemoryTree>) -> Term {
        match self.attempt(tree).await {
            Attempt::Won(term) => term,
            Attempt::Lost { leader } => panic!("lost to {leader:?}"),
        }
    }
}

#[tokio::test]
async fn the_first_wins_and_the_second_learns_who_leads() {
    let bed = Bed::new().await;
    let (first, second) = (bed.server.session(), bed.server.session());
    let term = bed.win(&first).await;
    assert_eq!((term.epoch, term.session), (1, first.session_id()));
    let Attempt::Lost { leader: Some(leader) } = bed.attempt(&second).await else { panic!("two lead") };
    assert_eq!((leader.epoch, leader.host.as_str()), (1, "node1"));
}

#[tokio::test]
async fn the_epoch_is_the_data_version_of_its_node_and_only_grows() {
    let bed = Bed::new().await;
    for epoch in 1..=3 {
        let master = bed.server.session();
        assert_eq!(bed.win(&master).await.epoch, epoch);
        let node = master.get(&bed.roots.epoch()).await.unwrap().unwrap();
        assert_eq!(node.stat.version, epoch);
        master.close().await;
    }
}

#[tokio::test]
async fn a_lost_answer_is_found_to_be_a_win_whether_it_was_done_or_not() {
    for done in [true, false] {
        let bed = Bed::new().await;
        let master = bed.server.session();
        master.lose_next_answer(done);
        let tree: SharedTree = master.clone();
        let unknown = attempt(&tree, &bed.roots, fixture::leader()).await;
        assert_eq!(unknown, Err(Error::ConnectionLoss));
        assert_eq!(bed.win(&master).await.epoch, 1, "done: {done}");
    }
}

#[tokio::test]
async fn an_own_node_of_an_older_epoch_is_taken_away_and_the_lead_won_again() {
    let bed = Bed::new().await;
    let master = bed.server.session();
    bed.win(&master).await;
    master.multi(vec![Op::set(bed.roots.epoch(), Vec::new(), None)]).await.unwrap();
    assert_eq!(bed.win(&master).await.epoch, 3);
}

#[tokio::test]
async fn a_leader_node_that_can_not_be_read_still_leads() {
    let bed = Bed::new().await;
    let (other, master) = (bed.server.session(), bed.server.session());
    other.multi(vec![Op::create_ephemeral(bed.roots.leader(), b"{".to_vec())]).await.unwrap();
    assert_eq!(bed.attempt(&master).await, Attempt::Lost { leader: None });
}

#[tokio::test]
async fn a_former_leader_can_write_nothing_and_learns_that_its_term_is_over() {
    let bed = Bed::new().await;
    let (old, new) = (bed.server.session(), bed.server.session());
    let former = bed.win(&old).await;
    old.expire();
    let term = bed.win(&new).await;
    let write = Op::create(bed.roots.request("qn-0000000001-5"), Vec::new());
    let failed = old.multi(vec![former.fence(), write.clone()]).await.unwrap_err();
    assert!(former.is_over_by(&failed), "{failed:?}");
    new.multi(vec![term.fence(), write.clone()]).await.unwrap();
    // What fails behind the fence says nothing about the term.
    let failed = new.multi(vec![term.fence(), write]).await.unwrap_err();
    assert!(!term.is_over_by(&failed), "{failed:?}");
    let tree: SharedTree = old.clone();
    assert!(resign(&tree, &bed.roots, &former, None).await.is_err(), "it can't give away another's lead");
    assert!(new.get(&bed.roots.leader()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_lead_that_is_given_back_can_be_won_at_once() {
    let bed = Bed::new().await;
    let (first, second) = (bed.server.session(), bed.server.session());
    let term = bed.win(&first).await;
    let tree: SharedTree = first.clone();
    resign(&tree, &bed.roots, &term, None).await.unwrap();
    assert_eq!(bed.win(&second).await.epoch, 2);
}

#[tokio::test]
async fn what_clients_need_is_written_once_and_a_newer_format_is_noticed() {
    let bed = Bed::new().await;
    let master = bed.server.session();
    let term = bed.win(&master).await;
    let tree: SharedTree = master.clone();
    assert!(matches!(format_of(&tree, &bed.roots).await.unwrap(), Format::Known));
    let mut cluster = Cluster { format: FORMAT, store: "file:///a".into(), launcher: "local".into() };
    for (store, version) in [("file:///a", 0), ("file:///a", 0), ("file:///b", 1)] {
        cluster.store = store.to_string();
        write_cluster(&tree, &bed.roots, &term, &cluster).await.unwrap();
        assert_eq!(master.get(&bed.roots.cluster()).await.unwrap().unwrap().stat.version, version);
    }
    assert!(matches!(format_of(&tree, &bed.roots).await.unwrap(), Format::Known));
    // Of a newer format only the number is known; what cannot be read may be newer too.
    let found = async |bytes: &str| {
        tree.multi(vec![Op::set(bed.roots.cluster(), bytes, None)]).await.unwrap();
        format_of(&tree, &bed.roots).await.unwrap()
    };
    assert!(matches!(found(r#"{"format":7,"stores":[]}"#).await, Format::Newer(7)));
    for unreadable in ["", "{", r#"{"store":"file:///a","launcher":"local"}"#, r#"{"format":"2"}"#] {
        assert!(matches!(found(unreadable).await, Format::Unreadable(_)), "{unreadable}");
    }
}

#[tokio::test]
async fn without_a_connection_nobody_stands() {
    let bed = Bed::new().await;
    let master = bed.server.session();
    master.disconnect();
    let tree: SharedTree = master.clone();
    assert_eq!(attempt(&tree, &bed.roots, fixture::leader()).await, Err(Error::ConnectionLoss));
}

#[tokio::test]
async fn a_later_attempt_of_the_same_application_does_not_wait_for_the_earlier_ones_session() {
    let bed = Bed::new().await;
    let of = |application: &str, attempt: u32| Leader {
        application: Some(application.to_string()),
        attempt: Some(attempt),
        ..fixture::leader()
    };
    let (first, second, other) = (bed.server.session(), bed.server.session(), bed.server.session());
    let stand = async |tree: &Arc<MemoryTree>, leader: Leader| {
        let tree: SharedTree = tree.clone();
        attempt(&tree, &bed.roots, leader).await.unwrap()
    };
    let Attempt::Won(former) = stand(&first, of("application_1_0001", 1)).await else { panic!("lost") };
    for stranger in [of("application_1_0002", 9), of("application_1_0001", 1), fixture::leader()] {
        assert!(matches!(stand(&other, stranger).await, Attempt::Lost { .. }));
    }
    let Attempt::Won(term) = stand(&second, of("application_1_0001", 2)).await else { panic!("lost") };
    assert_eq!((term.epoch, term.leader.attempt), (2, Some(2)));
    let write = Op::create(bed.roots.instance("1-1-aaaa"), "{}");
    let tree: SharedTree = first.clone();
    let failed = tree.multi(vec![former.fence(), write]).await.unwrap_err();
    assert!(former.is_over_by(&failed), "what the earlier one still sends is refused: {failed:?}");
}
