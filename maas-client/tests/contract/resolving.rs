//! What the resolver promises, over the memory tree and over a real ZooKeeper alike.

use super::world::World;
use maas_client::config::Roots;
use maas_client::model::{ModelId, ModelName};
use maas_client::registry::{Registration, default_functions};
use maas_client::resolver::{Policy, Resolver};
use maas_client::tree::{Access, Op, TreeExt};
use std::collections::BTreeSet;
use std::time::Duration;

struct Bed<W: World> {
    world: W,
    roots: Roots,
    resolver: Resolver,
    name: ModelName,
}

impl<W: World> Bed<W> {
    /// The resolver has the session that can be disturbed; registrations belong to the other.
    async fn new(world: W, recursive: bool) -> Bed<W> {
        let roots = Roots::default();
        let runner = world.b();
        runner.ensure_path(&roots.service("dga"), Access::Open).await.unwrap();
        runner.ensure_path(&roots.model("dga"), Access::Open).await.unwrap();
        let resolver = Resolver::new(world.a(), roots.clone(), Policy::default());
        if recursive {
            resolver.all().await.unwrap();
        }
        Bed { world, roots, resolver, name: "dga".parse().unwrap() }
    }

    async fn register(&self, version: &str, id: &str) {
        let registration = Registration {
            model: ModelId::new("dga", version).unwrap(),
            id: id.to_string(),
            url: format!("http://127.0.0.1:{}", 4000 + usize::from(id.as_bytes()[0])),
            functions: default_functions(),
            registered_ms: 1,
        };
        let create = Op::create_ephemeral(self.roots.registration("dga", id), registration.encode());
        self.world.b().multi(vec![create]).await.unwrap();
    }

    async fn unregister(&self, id: &str) {
        self.world.b().delete_if_exists(&self.roots.registration("dga", id), None).await.unwrap();
    }

    async fn shown(&self) -> BTreeSet<String> {
        let Ok(model) = self.resolver.model(&self.name).await else {
            return BTreeSet::from(["not synced".to_string()]);
        };
        let slots = model.versions().iter().flat_map(|version| version.slots());
        slots
            .map(|slot| {
                let stale = if slot.is_stale() { " stale" } else { "" };
                format!("{} {}{stale}", slot.endpoint().version, slot.endpoint().id)
            })
            .collect()
    }

    async fn until(&self, wanted: &[&str]) {
        let wanted: BTreeSet<String> = wanted.iter().map(|text| (*text).to_string()).collect();
        let mut changes = self.resolver.changes();
        let reached = async {
            while self.shown().await != wanted {
                changes.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), reached).await.is_err() {
            panic!("{:?} is shown, not {wanted:?}", self.shown().await);
        }
    }
}

/// Registrations of one name come, change and go.
async fn follows<W: World>(bed: Bed<W>) {
    bed.until(&[]).await;
    bed.register("1.0", "a").await;
    bed.until(&["1.0 a"]).await;
    bed.register("10.0", "b").await;
    bed.register("9.0", "c").await;
    bed.until(&["1.0 a", "10.0 b", "9.0 c"]).await;
    let current = bed.resolver.resolve(&bed.name, None).await.unwrap();
    assert_eq!(current.version().version().as_str(), "10.0");
    bed.unregister("b").await;
    bed.until(&["1.0 a", "9.0 c"]).await;
    bed.unregister("a").await;
    bed.register("2.0", "a").await;
    bed.until(&["2.0 a", "9.0 c"]).await;
}

/// What happened during an outage is seen after it; nothing is taken away during it.
async fn outage<W: World>(bed: Bed<W>) {
    bed.register("1.0", "a").await;
    bed.register("1.0", "b").await;
    bed.until(&["1.0 a", "1.0 b"]).await;
    bed.world.cut().await;
    bed.unregister("a").await;
    bed.register("2.0", "c").await;
    assert_eq!(bed.shown().await.len(), 2);
    bed.world.mend().await;
    bed.until(&["1.0 b", "2.0 c"]).await;
    bed.register("2.0", "d").await;
    bed.until(&["1.0 b", "2.0 c", "2.0 d"]).await;
}

/// After a lost session what is missing stays in use, marked, and is replaced when it comes back.
async fn lost_session<W: World>(bed: Bed<W>) {
    bed.register("1.0", "a").await;
    bed.register("1.0", "b").await;
    bed.until(&["1.0 a", "1.0 b"]).await;
    let gone_meanwhile = async {
        let mut session = bed.world.a().session();
        session.wait_for(|state| state.connected().is_none()).await.unwrap();
        bed.unregister("a").await;
        bed.unregister("b").await;
    };
    tokio::join!(bed.world.expire(), gone_meanwhile);
    bed.until(&["1.0 a stale", "1.0 b stale"]).await;
    bed.register("1.0", "a").await;
    bed.until(&["1.0 a", "1.0 b stale"]).await;
}

mod memory {
    use super::super::world::MemoryWorld;
    use super::{Bed, follows, outage};

    #[tokio::test]
    async fn a_resolver_follows_names_one_by_one_and_all_together() {
        follows(Bed::new(MemoryWorld::new(), false).await).await;
        follows(Bed::new(MemoryWorld::new(), true).await).await;
    }

    #[tokio::test]
    async fn a_resolver_reads_again_after_an_outage() {
        outage(Bed::new(MemoryWorld::new(), false).await).await;
        outage(Bed::new(MemoryWorld::new(), true).await).await;
    }
}

mod zookeeper {
    use super::super::world::ZkWorld;
    use super::{Bed, follows, lost_session, outage};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_resolver_follows_names_one_by_one_and_all_together() {
        follows(Bed::new(ZkWorld::new().await, false).await).await;
        follows(Bed::new(ZkWorld::new().await, true).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_resolver_reads_again_after_an_outage() {
        outage(Bed::new(ZkWorld::new().await, false).await).await;
        outage(Bed::new(ZkWorld::new().await, true).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_resolver_trusts_what_it_knew_after_a_lost_session() {
        lost_session(Bed::new(ZkWorld::new().await, false).await).await;
        lost_session(Bed::new(ZkWorld::new().await, true).await).await;
    }
}
