//! The memory tree: ZooKeeper's contract without a server, for tests.
//!
//! One [`MemoryServer`] holds the data; each [`MemoryTree`] is a client with its own session, so that several masters and
//! runners can be played in one test. Faults are played by hand: [`MemoryTree::disconnect`], [`MemoryTree::reconnect`],
//! [`MemoryTree::expire`], [`MemoryTree::lose_next_answer`]. What it leaves out: access control ([`super::Access`] is
//! ignored), and any waiting: a call without a connection fails at once.

mod server;

use super::{Done, Error, MultiError, Node, Op, SessionState, Stat, Tree, TreeChange, Watch, check_ops, check_path};
use async_trait::async_trait;
use server::{ClientId, Data};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};

/// The data that several [`MemoryTree`] sessions share. Clones share it too.
#[derive(Clone)]
pub struct MemoryServer {
    data: Arc<Mutex<Data>>,
}

impl Default for MemoryServer {
    fn default() -> Self {
        MemoryServer::new()
    }
}

impl MemoryServer {
    /// An empty tree: the root only.
    pub fn new() -> Self {
        MemoryServer { data: Arc::new(Mutex::new(Data::new())) }
    }

    /// A new client, connected under a new session.
    pub fn session(&self) -> Arc<MemoryTree> {
        let mut data = lock(&self.data);
        let client = data.new_id().unsigned_abs();
        let session = data.new_id();
        drop(data);
        let faults = Client { session, away: None, expired: false, closed: false, lose_answer: None };
        Arc::new(MemoryTree {
            data: self.data.clone(),
            id: client,
            client: Mutex::new(faults),
            state: watch::channel(SessionState::Connected { id: session }).0,
        })
    }
}

/// Nothing is left half-done under these locks, so a panic elsewhere does not spoil them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Recursive watches kept while their client is away.
type KeptWatches = Vec<(String, mpsc::UnboundedSender<TreeChange>)>;

struct Client {
    session: i64,
    /// `Some` while disconnected.
    away: Option<KeptWatches>,
    /// The session ended while disconnected; a new one follows on reconnection.
    expired: bool,
    closed: bool,
    lose_answer: Option<bool>,
}

/// One client of a [`MemoryServer`], with its session. Dropping it closes the session.
pub struct MemoryTree {
    data: Arc<Mutex<Data>>,
    id: ClientId,
    client: Mutex<Client>,
    state: watch::Sender<SessionState>,
}

impl MemoryTree {
    /// Cuts the connection: one-shot watches fire, calls fail, the session lives on with its ephemeral nodes.
    pub fn disconnect(&self) {
        let mut client = lock(&self.client);
        if client.closed || client.away.is_some() {
            return;
        }
        self.state.send_replace(SessionState::Disconnected { id: client.session });
        let mut data = lock(&self.data);
        data.drop_watches(self.id);
        client.away = Some(data.take_tree_watches(self.id));
    }

    /// Connects again, under the same session or, when that has expired, under a new one; recursive watches say so.
    pub fn reconnect(&self) {
        let mut client = lock(&self.client);
        if client.closed {
            return;
        }
        let Some(kept) = client.away.take() else {
            return;
        };
        let mut data = lock(&self.data);
        if std::mem::take(&mut client.expired) {
            client.session = data.new_id();
        }
        self.state.send_replace(SessionState::Connected { id: client.session });
        for (root, sender) in kept {
            if sender.send(TreeChange::Resync).is_ok() {
                data.watch_tree(self.id, &root, sender);
            }
        }
    }

    /// Ends the session as the server does after a silence: its ephemeral nodes go. When connected, the client is
    /// back at once under a new session; when not, it learns of it on [`MemoryTree::reconnect`].
    pub fn expire(&self) {
        let was_connected = lock(&self.client).away.is_none();
        self.disconnect();
        {
            let mut client = lock(&self.client);
            if client.closed {
                return;
            }
            client.expired = true;
            lock(&self.data).end_session(client.session);
        }
        if was_connected {
            self.reconnect();
        }
    }

    /// The next transaction answers [`Error::ConnectionLoss`], done (`applied`) or not; the connection comes back at
    /// once under the same session.
    pub fn lose_next_answer(&self, applied: bool) {
        lock(&self.client).lose_answer = Some(applied);
    }

    /// The current session's id, also while disconnected.
    pub fn session_id(&self) -> i64 {
        lock(&self.client).session
    }

    /// The session's id, if a call can be made now.
    fn connected(&self) -> Result<i64, Error> {
        let client = lock(&self.client);
        if client.closed {
            return Err(Error::Unreachable { detail: "this session was closed".into() });
        }
        if client.away.is_some() {
            return Err(Error::Unreachable { detail: "the memory tree is disconnected".into() });
        }
        Ok(client.session)
    }

    fn end(&self) {
        let mut client = lock(&self.client);
        if std::mem::replace(&mut client.closed, true) {
            return;
        }
        let mut data = lock(&self.data);
        data.drop_watches(self.id);
        data.take_tree_watches(self.id);
        client.away = None;
        data.end_session(client.session);
        self.state.send_replace(SessionState::Closed);
    }
}

impl Drop for MemoryTree {
    fn drop(&mut self) {
        self.end();
    }
}

#[async_trait]
impl Tree for MemoryTree {
    async fn get(&self, path: &str) -> Result<Option<Node>, Error> {
        tokio::task::yield_now().await;
        check_path(path)?;
        self.connected()?;
        Ok(lock(&self.data).get(path))
    }

    async fn stat(&self, path: &str) -> Result<Option<Stat>, Error> {
        tokio::task::yield_now().await;
        check_path(path)?;
        self.connected()?;
        Ok(lock(&self.data).stat(path))
    }

    async fn children(&self, path: &str) -> Result<Option<Vec<String>>, Error> {
        tokio::task::yield_now().await;
        check_path(path)?;
        self.connected()?;
        Ok(lock(&self.data).children(path))
    }

    async fn multi(&self, ops: Vec<Op>) -> Result<Vec<Done>, MultiError> {
        tokio::task::yield_now().await;
        check_ops(&ops)?;
        let session = self.connected()?;
        let lost = lock(&self.client).lose_answer.take();
        if lost == Some(false) {
            self.disconnect();
            self.reconnect();
            return Err(Error::ConnectionLoss.into());
        }
        let answer = lock(&self.data).multi(session, ops);
        if lost == Some(true) {
            self.disconnect();
            self.reconnect();
            return Err(Error::ConnectionLoss.into());
        }
        answer
    }

    async fn get_and_watch(&self, path: &str) -> Result<(Option<Node>, Watch), Error> {
        tokio::task::yield_now().await;
        check_path(path)?;
        self.connected()?;
        let (sender, watch) = Watch::channel();
        let mut data = lock(&self.data);
        data.watch_node(self.id, path, sender);
        Ok((data.get(path), watch))
    }

    async fn children_and_watch(&self, path: &str) -> Result<(Option<Vec<String>>, Watch), Error> {
        tokio::task::yield_now().await;
        check_path(path)?;
        self.connected()?;
        let (sender, watch) = Watch::channel();
        let mut data = lock(&self.data);
        data.watch_children(self.id, path, sender);
        Ok((data.children(path), watch))
    }

    async fn watch_tree(&self, path: &str) -> Result<mpsc::UnboundedReceiver<TreeChange>, Error> {
        tokio::task::yield_now().await;
        check_path(path)?;
        self.connected()?;
        let (sender, receiver) = mpsc::unbounded_channel();
        lock(&self.data).watch_tree(self.id, path, sender);
        Ok(receiver)
    }

    async fn sync(&self, path: &str) -> Result<(), Error> {
        tokio::task::yield_now().await;
        check_path(path)?;
        self.connected().map(drop)
    }

    fn session(&self) -> watch::Receiver<SessionState> {
        self.state.subscribe()
    }

    async fn close(&self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Access, Mode, TreeExt};

    #[tokio::test]
    async fn a_failed_transaction_leaves_nothing_and_names_its_part() {
        let tree = MemoryServer::new().session();
        tree.multi(vec![Op::create("/a", "1"), Op::create("/a/b", "2")]).await.unwrap();
        let failed = tree
            .multi(vec![Op::set("/a", "x", None), Op::delete("/a/b", None), Op::create("/a/c", ""), Op::check("/a", 7)])
            .await
            .unwrap_err();
        assert_eq!(failed, MultiError { index: Some(3), error: Error::BadVersion { path: "/a".into() } });
        let a = tree.get("/a").await.unwrap().unwrap();
        assert_eq!((a.data.as_slice(), a.stat.version, a.stat.num_children), (&b"1"[..], 0, 1));
        assert_eq!(tree.children("/a").await.unwrap().unwrap(), ["b"]);
        let (path, _) = tree.create("/a/s-", vec![], Mode::PersistentSequential, Access::Open).await.unwrap();
        assert_eq!(path, "/a/s-0000000001");
    }

    #[tokio::test]
    async fn expiry_takes_ephemerals_and_gives_a_new_session() {
        let server = MemoryServer::new();
        let (owner, other) = (server.session(), server.session());
        let mut changes = owner.watch_tree("/").await.unwrap();
        owner.multi(vec![Op::create_ephemeral("/e", "")]).await.unwrap();
        assert_eq!(changes.recv().await, Some(TreeChange::Path("/e".into())));
        let (node, watch) = other.get_and_watch("/e").await.unwrap();
        assert_eq!(node.unwrap().stat.ephemeral_owner, owner.session_id());
        let before = owner.session_id();
        owner.disconnect();
        assert!(owner.get("/e").await.unwrap_err().is_retryable());
        assert!(other.get("/e").await.unwrap().is_some());
        owner.expire();
        watch.changed().await;
        assert!(other.get("/e").await.unwrap().is_none());
        owner.reconnect();
        assert_eq!(changes.recv().await, Some(TreeChange::Resync));
        assert_ne!(owner.session_id(), before);
    }

    #[tokio::test]
    async fn a_lost_answer_leaves_the_write_done_or_not() {
        let tree = MemoryServer::new().session();
        for (applied, path) in [(true, "/yes"), (false, "/no")] {
            tree.lose_next_answer(applied);
            let failed = tree.multi(vec![Op::create(path, "")]).await.unwrap_err();
            assert_eq!(failed.error, Error::ConnectionLoss);
            assert_eq!(tree.get(path).await.unwrap().is_some(), applied);
        }
    }
}
