//! Who may do what, against a real server with digest credentials. The memory tree has no access control.

use super::world::{chroot, options, server};
use maas_client::config::Roots;
use maas_client::model::ModelId;
use maas_client::registry::{Registration, Registry, default_functions};
use maas_client::resolver::{Policy, Resolver};
use maas_client::state_store::ensure_roots;
use maas_client::tree::{Access, Error, Mode, Op, SharedTree, TreeExt};
use maas_client::zk::{Credential, ZkOptions, ZkTree};
use std::sync::Arc;

async fn connect(chroot: &str, credential: Option<Credential>) -> Arc<ZkTree> {
    ZkTree::connect(ZkOptions { credential, ..options(&server(), chroot) }).await.unwrap()
}

async fn create(tree: &SharedTree, path: &str, access: Access) {
    tree.create(path, b"x".to_vec(), Mode::Persistent, access).await.unwrap();
}

fn refused<T: std::fmt::Debug>(answer: Result<T, impl Into<Error>>) -> bool {
    matches!(answer.map_err(Into::into), Err(Error::NoAuth { .. }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_world_reads_state_and_enqueues_and_the_runner_claims_and_registers_only() {
    let (chroot, roots) = (chroot(), Roots::default());
    let credential = Credential::parse("maas:secret").unwrap();
    let master: SharedTree = connect(&chroot, Some(credential.clone())).await;
    let runner: SharedTree = connect(&chroot, Some(credential.for_runner())).await;
    let world: SharedTree = connect(&chroot, None).await;

    ensure_roots(&master, &roots, false).await.unwrap();
    let model = ModelId::new("m", "1").unwrap();
    create(&master, &roots.model("m"), Access::WorldReads).await;
    create(&master, &roots.desired(&model), Access::WorldReads).await;
    create(&master, &roots.spec(&model), Access::Private).await;
    create(&master, &roots.rejection("r"), Access::Private).await;
    create(&master, &roots.instance("1-1-aaaa"), Access::RunnerCreates).await;
    create(&master, &roots.service("m"), Access::RunnerCreates).await;

    for other in [&world, &runner] {
        assert!(other.get(&roots.desired(&model)).await.unwrap().is_some(), "state is readable");
        assert!(refused(other.get(&roots.spec(&model)).await) && refused(other.get(&roots.rejection("r")).await));
        assert!(refused(other.children(&roots.rejected()).await));
        // Whether a closed node may be looked at differs from server to server; that it is there shows either way.
        let closed = other.stat(&roots.rejection("r")).await;
        assert!(matches!(closed, Ok(Some(_)) | Err(Error::NoAuth { .. })), "{closed:?}");
        assert_eq!(other.stat(&roots.rejection("none")).await.unwrap(), None);
        for ops in [
            vec![Op::set(roots.desired(&model), "y", None)],
            vec![Op::set(roots.epoch(), "", None)],
            vec![Op::create(roots.instance("2"), "")],
            vec![Op::create(roots.model("n"), "")],
            vec![Op::create(roots.leader(), "")],
            vec![Op::delete(roots.instance("1-1-aaaa"), None)],
            vec![Op::set(roots.instance("1-1-aaaa"), "y", None)],
            vec![Op::create(roots.service("other"), "")],
        ] {
            assert!(refused(other.multi(ops.clone()).await), "{ops:?}");
        }
    }

    // The queue is open for what is put in, and closed for what is in it.
    let prefix = roots.queue_prefix();
    let by_world = world.create(&prefix, vec![], Mode::PersistentSequential, Access::Open).await.unwrap().0;
    assert!(refused(world.multi(vec![Op::delete(&by_world, None)]).await));
    let ours = master.create(&prefix, b"env".to_vec(), Mode::PersistentSequential, Access::Private).await.unwrap().0;
    assert!(refused(world.get(&ours).await));
    master.multi(vec![Op::delete(&by_world, None), Op::delete(&ours, None)]).await.unwrap();

    // Claim and registration: the runner alone, and the master takes away what a killed one left.
    let claim = vec![
        Op::check(roots.instance("1-1-aaaa"), 0),
        Op::create_ephemeral(roots.claim("1-1-aaaa"), "c"),
        Op::create_ephemeral(roots.registration("m", "1-1-aaaa"), "r"),
    ];
    assert!(refused(world.multi(claim.clone()).await));
    runner.multi(claim).await.unwrap();
    runner.multi(vec![Op::set(roots.claim("1-1-aaaa"), "c2", Some(0))]).await.unwrap();
    assert!(refused(world.multi(vec![Op::delete(roots.registration("m", "1-1-aaaa"), None)]).await));
    runner.multi(vec![Op::delete(roots.registration("m", "1-1-aaaa"), None)]).await.unwrap();
    runner.multi(vec![Op::create_ephemeral(roots.registration("m", "1-1-aaaa"), "r")]).await.unwrap();
    let cleanup = vec![
        Op::delete(roots.registration("m", "1-1-aaaa"), None),
        Op::delete(roots.claim("1-1-aaaa"), None),
        Op::delete(roots.instance("1-1-aaaa"), None),
    ];
    master.multi(cleanup).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_world_registers_anybody_may_make_a_name_below_the_registry() {
    let (chroot, roots) = (chroot(), Roots::default());
    let master: SharedTree = connect(&chroot, Some(Credential::parse("maas:secret").unwrap())).await;
    ensure_roots(&master, &roots, true).await.unwrap();
    let world: SharedTree = connect(&chroot, None).await;
    world.ensure_path(&roots.service("metron"), Access::Open).await.unwrap();
    assert!(refused(world.multi(vec![Op::create(roots.model("m"), "")]).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_credentials_everything_is_open() {
    let (chroot, roots) = (chroot(), Roots::default());
    let first: SharedTree = connect(&chroot, None).await;
    ensure_roots(&first, &roots, false).await.unwrap();
    let second: SharedTree = connect(&chroot, None).await;
    create(&second, &roots.rejection("r"), Access::Private).await;
    assert!(first.get(&roots.rejection("r")).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_that_its_owner_locked_hides_no_other() {
    let (chroot, roots) = (chroot(), Roots::default());
    let owner: SharedTree = connect(&chroot, Some(Credential::parse("stranger:secret").unwrap())).await;
    let reader: SharedTree = connect(&chroot, None).await;
    owner.ensure_path(&roots.service("m"), Access::Open).await.unwrap();
    let registration = Registration {
        model: ModelId::new("m", "1").unwrap(),
        id: "open".into(),
        url: "http://127.0.0.1:4000".into(),
        functions: default_functions(),
        registered_ms: 1,
    };
    owner
        .create(&roots.registration("m", "open"), registration.encode(), Mode::Persistent, Access::Open)
        .await
        .unwrap();
    create(&owner, &roots.registration("m", "locked"), Access::Private).await;
    create(&owner, &roots.service("closed"), Access::Private).await;

    let listing = Registry::new(reader.clone(), &roots).list_all().await.unwrap();
    assert_eq!(listing.endpoints.iter().map(|endpoint| &*endpoint.id).collect::<Vec<_>>(), ["open"]);
    assert!(listing.skipped.iter().any(|skipped| skipped.path == roots.registration("m", "locked")));
    for recursive in [false, true] {
        let resolver = Resolver::new(reader.clone(), roots.clone(), Policy::default());
        if recursive {
            resolver.all().await.unwrap();
        }
        let model = resolver.model(&"m".parse().unwrap()).await.unwrap();
        assert_eq!(model.current().map(|version| version.slots().len()), Some(1), "recursive {recursive}");
    }
}
