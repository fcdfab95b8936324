//! Two worlds to run the rules in: each gives sessions on one shared tree and ways to disturb the first of them.

use super::SharedTree;
use super::proxy::Proxy;
use maas_client::tree::memory::{MemoryServer, MemoryTree};
use maas_client::zk::{ZkOptions, ZkTree};
use std::sync::Arc;
use std::time::Duration;

/// Sessions on one tree; `a` can be disturbed.
pub(crate) trait World {
    /// The session that is disturbed.
    fn a(&self) -> SharedTree;
    /// Another session.
    fn b(&self) -> SharedTree;
    /// Cuts `a`'s connection; it stays away.
    async fn cut(&self);
    /// Lets `a` connect again.
    async fn mend(&self);
    /// `a`'s next transaction on this path gets no answer; it is done or not.
    fn lose_answer(&self, path: &str, applied: bool);
    /// Keeps `a` away until the server has ended its session, then lets it back.
    async fn expire(&self);
}

/// The memory tree.
pub(crate) struct MemoryWorld {
    a: Arc<MemoryTree>,
    b: Arc<MemoryTree>,
}

impl MemoryWorld {
    pub(crate) fn new() -> Self {
        let server = MemoryServer::new();
        MemoryWorld { a: server.session(), b: server.session() }
    }
}

impl World for MemoryWorld {
    fn a(&self) -> SharedTree {
        self.a.clone()
    }
    fn b(&self) -> SharedTree {
        self.b.clone()
    }
    async fn cut(&self) {
        self.a.disconnect();
    }
    async fn mend(&self) {
        self.a.reconnect();
    }
    fn lose_answer(&self, _path: &str, applied: bool) {
        self.a.lose_next_answer(applied);
    }
    async fn expire(&self) {
        self.a.disconnect();
        self.a.expire();
        self.a.reconnect();
    }
}

/// A real server, `a` behind a proxy.
pub(crate) struct ZkWorld {
    a: Arc<ZkTree>,
    b: Arc<ZkTree>,
    proxy: Proxy,
}

/// The server's address, or a message saying how to have one.
pub(crate) fn server() -> String {
    std::env::var("MAAS_TEST_ZK").unwrap_or_else(|_| {
        panic!("MAAS_TEST_ZK is not set: `scripts/services/zookeeper.sh start`, then export MAAS_TEST_ZK=HOST:PORT")
    })
}

/// A chroot of this test's own.
pub(crate) fn chroot() -> String {
    format!("/test-{}", uuid::Uuid::new_v4())
}

/// Options for a short session below a chroot.
pub(crate) fn options(address: &str, chroot: &str) -> ZkOptions {
    ZkOptions {
        session_timeout: Duration::from_secs(2),
        connect_timeout: Some(Duration::from_secs(10)),
        ..ZkOptions::new(format!("{address}{chroot}"))
    }
}

impl ZkWorld {
    pub(crate) async fn new() -> Self {
        let (server, chroot) = (server(), chroot());
        let proxy = Proxy::start(server.clone()).await;
        let a = ZkTree::connect(options(&proxy.address, &chroot)).await.unwrap();
        let b = ZkTree::connect(options(&server, &chroot)).await.unwrap();
        ZkWorld { a, b, proxy }
    }
}

impl World for ZkWorld {
    fn a(&self) -> SharedTree {
        self.a.clone()
    }
    fn b(&self) -> SharedTree {
        self.b.clone()
    }
    async fn cut(&self) {
        self.proxy.down();
        let tree = self.a();
        let mut state = tree.session();
        state.wait_for(|state| state.connected().is_none()).await.unwrap();
    }
    async fn mend(&self) {
        self.proxy.up();
    }
    fn lose_answer(&self, path: &str, applied: bool) {
        self.proxy.lose(path, applied);
    }
    async fn expire(&self) {
        use maas_client::tree::{Access, Mode, Tree, TreeExt};
        // An ephemeral node of the session tells when the server has ended it.
        let tree = self.a();
        tree.create("/alive", vec![], Mode::Ephemeral, Access::Open).await.unwrap();
        self.cut().await;
        loop {
            let (node, watch) = self.b.get_and_watch("/alive").await.unwrap();
            if node.is_none() {
                break;
            }
            tokio::time::timeout(Duration::from_secs(15), watch.changed()).await.unwrap();
        }
        self.mend().await;
    }
}
