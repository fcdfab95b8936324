//! The rules themselves, each a function over any world.

use super::{SharedTree, World};
use maas_client::tree::{Access, Done, Error, MAX_WRITE, Mode, Op, SessionState, TreeChange, TreeExt};
use std::time::Duration;
use tokio::time::timeout;

const BOUND: Duration = Duration::from_secs(20);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(BOUND, what).await.expect("this should have come within the bound")
}

async fn persistent(tree: &SharedTree, path: &str) {
    tree.create(path, vec![], Mode::Persistent, Access::WorldReads).await.unwrap();
}

async fn connected(tree: &SharedTree) -> i64 {
    let mut state = tree.session();
    let state = *soon(state.wait_for(|state| state.connected().is_some())).await.unwrap();
    state.connected().unwrap()
}

pub(crate) async fn reads_see_what_was_written(world: impl World) {
    let tree = world.a();
    assert_eq!(tree.get("/x").await.unwrap(), None);
    assert_eq!(tree.children("/x").await.unwrap(), None);
    assert_eq!(tree.stat("/x").await.unwrap(), None);
    let (path, created) = tree.create("/x", b"one".to_vec(), Mode::Persistent, Access::WorldReads).await.unwrap();
    assert_eq!((path.as_str(), created.version, created.ephemeral_owner), ("/x", 0, 0));
    tree.multi(vec![Op::set("/x", "two", Some(0))]).await.unwrap();
    let node = tree.get("/x").await.unwrap().unwrap();
    assert_eq!((node.data.as_slice(), node.stat.version, node.stat.czxid), (&b"two"[..], 1, created.czxid));
    assert!(node.stat.mzxid > node.stat.czxid && node.stat.ctime_ms > 0);
    assert_eq!((tree.stat("/x").await.unwrap(), node.stat.data_length), (Some(node.stat), 3));
    for name in ["c", "a", "b"] {
        persistent(&tree, &format!("/x/{name}")).await;
    }
    tree.sync("/x").await.unwrap();
    assert_eq!(tree.stat("/x").await.unwrap().unwrap().num_children, 3);
    assert!(matches!(tree.stat("no/path").await.unwrap_err(), Error::Invalid { .. }));
    assert_eq!(tree.children("/x").await.unwrap().unwrap(), ["a", "b", "c"]);
    assert!(matches!(tree.multi(vec![Op::delete("/x", None)]).await.unwrap_err().error, Error::NotEmpty { .. }));
    tree.delete_if_exists("/x/a", None).await.unwrap();
    tree.delete_if_exists("/x/a", None).await.unwrap();
    tree.ensure_path("/p/q/r", Access::WorldReads).await.unwrap();
    tree.ensure_path("/p/q/r", Access::WorldReads).await.unwrap();
    assert!(matches!(tree.get("no/path").await.unwrap_err(), Error::Invalid { .. }));
}

pub(crate) async fn a_transaction_is_done_whole_or_not_at_all_and_names_what_failed(world: impl World) {
    let tree = world.a();
    let session = connected(&tree).await;
    let done = tree
        .multi(vec![
            Op::create("/m", "1"),
            Op::create_ephemeral("/m/e", "2"),
            Op::set("/m", "3", Some(0)),
            Op::check("/m", 1),
            Op::delete("/m/e", Some(0)),
            Op::create_ephemeral("/m/e", "4"),
        ])
        .await
        .unwrap();
    assert_eq!(done.len(), 6);
    let Done::Created { path, stat } = &done[5] else { panic!("{done:?}") };
    assert_eq!((path.as_str(), stat.ephemeral_owner), ("/m/e", session));
    assert!(stat.czxid > 0);
    assert!(matches!(&done[2], Done::Set(stat) if stat.version == 1));
    let failing: [(Vec<Op>, usize, Error); 5] = [
        (vec![Op::check("/m", 0), Op::create("/n", "")], 0, Error::BadVersion { path: "/m".into() }),
        (vec![Op::create("/n", ""), Op::check("/m", 9)], 1, Error::BadVersion { path: "/m".into() }),
        (vec![Op::create("/n", ""), Op::delete("/m", None)], 1, Error::NotEmpty { path: "/m".into() }),
        (
            vec![Op::create("/n", ""), Op::create("/n", ""), Op::check("/m", 0)],
            1,
            Error::NodeExists { path: "/n".into() },
        ),
        (vec![Op::create("/n", ""), Op::create("/o/p", "")], 1, Error::NoNode { path: "/o/p".into() }),
    ];
    for (ops, index, error) in failing {
        let failed = tree.multi(ops).await.unwrap_err();
        assert_eq!((failed.index, failed.error), (Some(index), error));
        assert_eq!(tree.get("/n").await.unwrap(), None);
    }
    let below = tree.multi(vec![Op::create("/m/e/x", "")]).await.unwrap_err();
    assert!(matches!(below.error, Error::NoChildrenForEphemerals { .. }), "{below:?}");
}

pub(crate) async fn sequences_count_up_and_begin_again_with_their_parent(world: impl World) {
    let tree = world.a();
    for _ in 0..2 {
        persistent(&tree, "/q").await;
        for number in 0..2 {
            let made = tree.create("/q/qn-", vec![], Mode::PersistentSequential, Access::Open).await.unwrap();
            assert_eq!(made.0, format!("/q/qn-{number:010}"));
            tree.delete_if_exists(&made.0, None).await.unwrap();
        }
        tree.delete_if_exists("/q", None).await.unwrap();
    }
}

pub(crate) async fn watches_fire_once_on_change_and_on_creation(world: impl World) {
    let (tree, other) = (world.a(), world.b());
    let (none, created) = tree.get_and_watch("/w").await.unwrap();
    assert!(none.is_none());
    let (none, listed) = tree.children_and_watch("/w").await.unwrap();
    assert!(none.is_none());
    persistent(&other, "/w").await;
    soon(created.changed()).await;
    soon(listed.changed()).await;
    let (_, changed) = tree.get_and_watch("/w").await.unwrap();
    let (_, listed) = tree.children_and_watch("/w").await.unwrap();
    other.multi(vec![Op::set("/w", "x", None)]).await.unwrap();
    soon(changed.changed()).await;
    persistent(&other, "/w/child").await;
    soon(listed.changed()).await;
    let (_, gone) = tree.get_and_watch("/w/child").await.unwrap();
    other.delete_if_exists("/w/child", None).await.unwrap();
    soon(gone.changed()).await;
}

pub(crate) async fn watches_fire_when_the_connection_is_lost(world: impl World) {
    let tree = world.a();
    let (_, on_node) = tree.get_and_watch("/none").await.unwrap();
    let (_, on_children) = tree.children_and_watch("/").await.unwrap();
    world.cut().await;
    soon(on_node.changed()).await;
    soon(on_children.changed()).await;
    world.mend().await;
    connected(&tree).await;
}

pub(crate) async fn a_recursive_watch_tells_paths_and_says_resync_after_a_reconnection(world: impl World) {
    let (tree, other) = (world.a(), world.b());
    let mut changes = tree.watch_tree("/r").await.unwrap();
    persistent(&other, "/r").await;
    persistent(&other, "/other").await;
    persistent(&other, "/r/deep").await;
    other.multi(vec![Op::set("/r/deep", "x", None)]).await.unwrap();
    for expected in ["/r", "/r/deep", "/r/deep"] {
        assert_eq!(soon(changes.recv()).await, Some(TreeChange::Path(expected.into())));
    }
    world.cut().await;
    persistent(&other, "/r/missed").await;
    world.mend().await;
    assert_eq!(soon(changes.recv()).await, Some(TreeChange::Resync));
    assert!(tree.get("/r/missed").await.unwrap().is_some());
    other.delete_if_exists("/r/missed", None).await.unwrap();
    assert_eq!(soon(changes.recv()).await, Some(TreeChange::Path("/r/missed".into())));
}

pub(crate) async fn a_session_lives_through_a_short_outage_with_its_ephemerals(world: impl World) {
    let (tree, other) = (world.a(), world.b());
    let session = connected(&tree).await;
    tree.multi(vec![Op::create_ephemeral("/e", "")]).await.unwrap();
    let mut state = tree.session();
    world.cut().await;
    assert_eq!(*state.borrow_and_update(), SessionState::Disconnected { id: session });
    world.mend().await;
    assert_eq!(connected(&tree).await, session);
    let node = other.get("/e").await.unwrap().unwrap();
    assert_eq!(node.stat.ephemeral_owner, session);
    tree.delete_if_exists("/e", Some(0)).await.unwrap();
}

pub(crate) async fn ephemerals_are_gone_after_expiry_and_a_new_session_follows(world: impl World) {
    let (tree, other) = (world.a(), world.b());
    let session = connected(&tree).await;
    let mut changes = tree.watch_tree("/e").await.unwrap();
    tree.multi(vec![Op::create_ephemeral("/e", "")]).await.unwrap();
    assert_eq!(soon(changes.recv()).await, Some(TreeChange::Path("/e".into())));
    world.expire().await;
    assert_ne!(connected(&tree).await, session);
    assert_eq!(other.get("/e").await.unwrap(), None);
    while soon(changes.recv()).await != Some(TreeChange::Resync) {}
    tree.multi(vec![Op::create_ephemeral("/e", "again")]).await.unwrap();
    assert_eq!(soon(changes.recv()).await, Some(TreeChange::Path("/e".into())));
}

pub(crate) async fn closing_takes_ephemerals_at_once(world: impl World) {
    let (tree, other) = (world.a(), world.b());
    tree.multi(vec![Op::create_ephemeral("/e", "")]).await.unwrap();
    tree.close().await;
    tree.close().await;
    assert_eq!(*tree.session().borrow(), SessionState::Closed);
    other.sync("/").await.unwrap();
    assert_eq!(other.get("/e").await.unwrap(), None);
    assert!(tree.get("/e").await.is_err());
}

pub(crate) async fn too_much_is_refused_before_it_is_sent(world: impl World) {
    let tree = world.a();
    let refused = tree.multi(vec![Op::create("/big", vec![0; MAX_WRITE])]).await.unwrap_err();
    assert!(matches!(refused.error, Error::TooLarge { .. }));
    let ops = (0..10).map(|n| Op::create(format!("/big{n}"), vec![0; MAX_WRITE / 10])).collect();
    assert!(matches!(tree.multi(ops).await.unwrap_err().error, Error::TooLarge { .. }));
    tree.create("/big", vec![0; MAX_WRITE - 1000], Mode::Persistent, Access::Open).await.unwrap();
}

pub(crate) async fn a_lost_answer_leaves_the_write_done_or_not_and_says_unknown(world: impl World) {
    let tree = world.a();
    let session = connected(&tree).await;
    for (applied, path) in [(true, "/done-unheard"), (false, "/never-done")] {
        world.lose_answer(path, applied);
        let ops = vec![Op::create_ephemeral(path, ""), Op::check("/", 0)];
        let failed = soon(tree.multi(ops)).await.unwrap_err();
        assert_eq!((failed.index, failed.error), (None, Error::ConnectionLoss));
        let node = soon(tree.get(path)).await.unwrap();
        assert_eq!(node.map(|node| node.stat.ephemeral_owner), applied.then_some(session));
    }
}

pub(crate) async fn a_new_session_replaces_its_old_ones_node_in_one_transaction(world: impl World) {
    // The same instance after its session was replaced while the server still holds the old one.
    let (old, new) = (world.a(), world.b());
    persistent(&old, "/record").await;
    old.multi(vec![Op::check("/record", 0), Op::create_ephemeral("/record/runner", "same")]).await.unwrap();
    let claim = |version| {
        let mut ops = vec![Op::check("/record", 0)];
        ops.extend([Op::delete("/record/runner", version), Op::create_ephemeral("/record/runner", "same")]);
        ops
    };
    let exists = new.multi(vec![Op::check("/record", 0), Op::create_ephemeral("/record/runner", "same")]).await;
    assert_eq!(exists.unwrap_err().error, Error::NodeExists { path: "/record/runner".into() });
    let there = new.get("/record/runner").await.unwrap().unwrap();
    old.multi(vec![Op::set("/record/runner", "moved", Some(0))]).await.unwrap();
    let stale = new.multi(claim(Some(there.stat.version))).await.unwrap_err();
    assert_eq!((stale.index, stale.error), (Some(1), Error::BadVersion { path: "/record/runner".into() }));
    new.multi(claim(Some(1))).await.unwrap();
    world.expire().await;
    let node = new.get("/record/runner").await.unwrap().unwrap();
    assert_eq!(node.stat.ephemeral_owner, connected(&new).await, "the old session's end takes nothing of the new one");
}

pub(crate) async fn the_queue_survives_its_roots_end_and_counts_what_waits(world: impl World) {
    use maas_client::config::Roots;
    use maas_client::queue::{Error as QueueError, Queue};
    let queue = Queue::new(world.a(), &Roots::default());
    assert_eq!(queue.list().await.unwrap(), None);
    let first = queue.enqueue_bytes(b"one".to_vec()).await.unwrap();
    assert_eq!(first.child, "qn-0000000000");
    world.lose_answer("/maas/queue/qn-", true);
    assert!(matches!(soon(queue.enqueue_bytes(b"two".to_vec())).await, Err(QueueError::Unknown)));
    let waiting = soon(queue.waiting()).await.unwrap();
    assert_eq!(waiting.length, 2);
    assert!(waiting.oldest.unwrap() < Duration::from_secs(60));
    for child in queue.list().await.unwrap().unwrap() {
        world.b().delete_if_exists(&format!("/maas/queue/{child}"), None).await.unwrap();
    }
    world.b().delete_if_exists("/maas/queue", None).await.unwrap();
    assert_eq!(queue.enqueue_bytes(b"three".to_vec()).await.unwrap().child, first.child);
}

pub(crate) async fn the_registry_lists_good_endpoints_and_names_bad_ones(world: impl World) {
    use maas_client::config::Roots;
    use maas_client::model::ModelId;
    use maas_client::registry::{Registration, Registry, default_functions};
    let (tree, roots) = (world.a(), Roots::default());
    let registry = Registry::new(tree.clone(), &roots);
    assert!(registry.list_all().await.unwrap().endpoints.is_empty());
    for (name, version, id) in [("dga", "10.0", "2"), ("dga", "9.0", "1"), ("other", "1", "3")] {
        tree.ensure_path(&roots.service(name), Access::RunnerCreates).await.unwrap();
        let registration = Registration {
            model: ModelId::new(name, version).unwrap(),
            id: id.into(),
            url: "http://h:1".into(),
            functions: default_functions(),
            registered_ms: 1,
        };
        tree.multi(vec![Op::create_ephemeral(roots.registration(name, id), registration.encode())]).await.unwrap();
    }
    persistent(&tree, "/maas/service/dga/junk").await;
    let all = registry.list_all().await.unwrap();
    let found: Vec<_> = all.endpoints.iter().map(|e| format!("{} {} {}", e.name, e.version, e.id)).collect();
    assert_eq!(found, ["dga 9.0 1", "dga 10.0 2", "other 1 3"]);
    assert_eq!(all.skipped[0].path, "/maas/service/dga/junk");
}

pub(crate) async fn counting_by_version_through_lost_answers_loses_and_doubles_nothing(world: impl World) {
    let tree = world.a();
    tree.create("/counter", b"count-0.".to_vec(), Mode::Persistent, Access::Open).await.unwrap();
    let mut changes = world.b().watch_tree("/counter").await.unwrap();
    for step in 0..40_i32 {
        if step % 4 == 0 {
            // Only the write has these bytes.
            world.lose_answer(&format!("count-{}.", step + 1), step % 8 == 0);
        }
        // As a master does: look, write what was decided against that version, look again when the outcome is unknown.
        loop {
            let node = soon(tree.get("/counter")).await.unwrap().unwrap();
            assert_eq!(node.data, format!("count-{}.", node.stat.version).into_bytes());
            if node.stat.version > step {
                break;
            }
            let next = format!("count-{}.", step + 1);
            match tree.multi(vec![Op::set("/counter", next, Some(step)), Op::check("/", 0)]).await {
                Ok(_) => {}
                Err(failed) => assert!(failed.error.is_retryable(), "{failed:?}"),
            }
        }
    }
    let node = world.b().get("/counter").await.unwrap().unwrap();
    assert_eq!((node.data.as_slice(), node.stat.version), (&b"count-40."[..], 40));
    for _ in 0..40 {
        assert_eq!(soon(changes.recv()).await, Some(TreeChange::Path("/counter".into())));
    }
}

pub(crate) async fn trimming_takes_the_oldest_under_the_fence(world: impl World) {
    use maas_client::config::Roots;
    use maas_client::state_store::{Fence, Keep, Trimmed, Trimmer, ensure_roots};
    let (tree, roots) = (world.a(), Roots::default());
    ensure_roots(&tree, &roots, false).await.unwrap();
    for number in 0..1_200 {
        persistent(&tree, &roots.request(&format!("qn-0000000000-{number:x}"))).await;
    }
    let fence = Fence { path: roots.epoch(), epoch: 0 };
    let keep = Keep { requests: 100, ..Keep::default() };
    // Another master trims too: what it took is no trouble.
    tree.delete_if_exists(&roots.request("qn-0000000000-5"), None).await.unwrap();
    let trimmed = Trimmer::default().pass(&tree, &roots, &fence, &keep, 0).await.unwrap();
    assert_eq!(trimmed, Trimmed { requests: 1_099, ..Trimmed::default() });
    tree.multi(vec![Op::set(roots.epoch(), "", None)]).await.unwrap();
    let keep = Keep { requests: 50, ..keep };
    let failed = Trimmer::default().pass(&tree, &roots, &fence, &keep, 0).await.unwrap_err();
    assert!(fence.is_broken_by(&failed), "{failed:?}");
    assert_eq!(tree.children(&roots.requests()).await.unwrap().unwrap().len(), 100);
}
