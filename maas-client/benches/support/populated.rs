//! A registry with many models in it, and sessions on the real server.

use super::support::registration;
use maas_client::config::Roots;
use maas_client::model::ModelName;
use maas_client::tree::{Access, Op, SharedTree, TreeExt};
use maas_client::zk::{ZkOptions, ZkTree};
use std::time::Duration;

/// The names of `count` models.
pub(crate) fn names(count: usize) -> Vec<ModelName> {
    (0..count).map(|index| format!("model-{index}").parse().expect("a good name")).collect()
}

/// Registers `instances` endpoints of each name, many in one transaction.
pub(crate) async fn populate(tree: &SharedTree, roots: &Roots, names: &[ModelName], instances: usize) {
    tree.ensure_path(&roots.services, Access::Open).await.expect("the services' root");
    tree.ensure_path(&roots.models(), Access::Open).await.expect("the models' root");
    for some in names.chunks(20) {
        let mut ops = Vec::new();
        for name in some {
            ops.push(Op::create(roots.service(name.as_str()), vec![]));
            for index in 0..instances {
                let id = format!("i{index}");
                let bytes = registration(name.as_str(), &id, 4000).encode();
                ops.push(Op::create(roots.registration(name.as_str(), &id), bytes));
            }
        }
        tree.multi(ops).await.expect("registrations");
    }
}

/// A session on the real server of `MAAS_TEST_ZK`, below a chroot.
pub(crate) async fn zookeeper(chroot: &str) -> SharedTree {
    let server = std::env::var("MAAS_TEST_ZK").unwrap_or_else(|_| {
        panic!("MAAS_TEST_ZK is not set: `scripts/services/zookeeper.sh start`, then export MAAS_TEST_ZK=HOST:PORT")
    });
    let options = ZkOptions {
        connect_timeout: Some(Duration::from_secs(10)),
        session_timeout: Duration::from_secs(30),
        ..ZkOptions::new(format!("{server}{chroot}"))
    };
    ZkTree::connect(options).await.expect("a connection to ZooKeeper")
}
