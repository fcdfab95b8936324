//! A tree that counts the watches set through it.

use async_trait::async_trait;
use maas_client::tree::{Done, Error, MultiError, Node, Op, SessionState, SharedTree, Stat, Tree, TreeChange, Watch};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{mpsc, watch};

/// A tree that counts the watches set through it.
pub(crate) struct Counting {
    tree: SharedTree,
    /// How many watches were set.
    pub(crate) watches: AtomicUsize,
}

impl Counting {
    /// Counts from 0.
    pub(crate) fn new(tree: SharedTree) -> Arc<Counting> {
        Arc::new(Counting { tree, watches: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Tree for Counting {
    async fn get(&self, path: &str) -> Result<Option<Node>, Error> {
        self.tree.get(path).await
    }
    async fn stat(&self, path: &str) -> Result<Option<Stat>, Error> {
        self.tree.stat(path).await
    }
    async fn children(&self, path: &str) -> Result<Option<Vec<String>>, Error> {
        self.tree.children(path).await
    }
    async fn multi(&self, ops: Vec<Op>) -> Result<Vec<Done>, MultiError> {
        self.tree.multi(ops).await
    }
    async fn get_and_watch(&self, path: &str) -> Result<(Option<Node>, Watch), Error> {
        self.watches.fetch_add(1, Ordering::Relaxed);
        self.tree.get_and_watch(path).await
    }
    async fn children_and_watch(&self, path: &str) -> Result<(Option<Vec<String>>, Watch), Error> {
        self.watches.fetch_add(1, Ordering::Relaxed);
        self.tree.children_and_watch(path).await
    }
    async fn watch_tree(&self, path: &str) -> Result<mpsc::UnboundedReceiver<TreeChange>, Error> {
        self.watches.fetch_add(1, Ordering::Relaxed);
        self.tree.watch_tree(path).await
    }
    async fn sync(&self, path: &str) -> Result<(), Error> {
        self.tree.sync(path).await
    }
    fn session(&self) -> watch::Receiver<SessionState> {
        self.tree.session()
    }
    async fn close(&self) {
        self.tree.close().await;
    }
}
