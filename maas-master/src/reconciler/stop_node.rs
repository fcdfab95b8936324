//! `<state>/stop`: the order to all masters on the root to end. What follows from it is the master's.
//!
//! The master waits for it beside other things, and whichever comes first drops the waiting for the rest, wherever that
//! stood. So a change stays to be judged until it has been: else an order whose node was being read would be lost.

use maas_client::config::Roots;
use maas_client::state::Stop;
use maas_client::tree::{self, Node, SharedTree, TreeChange};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// After the node could not be read it is not waited for with less between two looks than this.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The node and its changes. One that was there before this master is no order to it.
pub(super) struct StopNode {
    tree: SharedTree,
    pub(super) path: String,
    changes: Option<mpsc::UnboundedReceiver<TreeChange>>,
    /// The oldest change that nobody has judged.
    unjudged: Option<TreeChange>,
    /// The creation transaction of one that is not for us.
    old: Option<i64>,
    looked: bool,
    /// Since it can't be read: not before this again.
    unreadable_until: Option<Instant>,
}

impl StopNode {
    pub(super) fn open(tree: SharedTree, roots: &Roots) -> StopNode {
        let path = roots.stop();
        StopNode { tree, path, changes: None, unjudged: None, old: None, looked: false, unreadable_until: None }
    }

    /// Sets the watch and remembers what was there first.
    pub(super) async fn look(&mut self) -> Result<(), tree::Error> {
        if self.changes.is_none() {
            self.changes = Some(self.tree.watch_tree(&self.path).await?);
        }
        if !self.looked {
            self.old = self.tree.get(&self.path).await?.map(|node| node.stat.czxid);
            self.looked = true;
        }
        Ok(())
    }

    /// Whether one was there before this master, and has not gone since.
    pub(super) fn is_old_there(&self) -> bool {
        self.old.is_some()
    }

    /// Waits until the node changes; true when this master is to stop. May be dropped at any time, without loss. After
    /// an error the next call pauses: who asks again and again must not do so without end.
    pub(super) async fn asked(&mut self) -> Result<bool, tree::Error> {
        if self.unjudged.is_none() {
            self.unjudged = match &mut self.changes {
                Some(changes) => changes.recv().await,
                None => None,
            };
        }
        match self.unjudged.clone() {
            Some(change) => {
                if let Some(until) = self.unreadable_until {
                    sleep_until(until).await;
                }
                self.judge(&change).await
            }
            None => std::future::pending().await,
        }
    }

    /// Whether this master was to stop by a change that nobody has judged yet, without waiting for one.
    pub(super) async fn was_asked(&mut self) -> Result<bool, tree::Error> {
        while let Some(change) = self.take_change() {
            self.unjudged = Some(change.clone());
            if self.judge(&change).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the node changed since this was last asked, without waiting.
    pub(super) fn was_touched(&mut self) -> bool {
        let mut touched = false;
        while self.take_change().is_some() {
            touched = true;
        }
        touched
    }

    /// What is asked now. What can't be read now counts as a change.
    pub(super) async fn now(&mut self) -> Result<Option<Stop>, tree::Error> {
        let node = match self.read().await {
            Ok(node) => node,
            Err(error) => {
                self.unjudged = Some(TreeChange::Resync);
                return Err(error);
            }
        };
        let node = node.filter(|node| Some(node.stat.czxid) != self.old);
        Ok(node.map(|node| serde_json::from_slice(&node.data).unwrap_or_default()))
    }

    fn take_change(&mut self) -> Option<TreeChange> {
        let next = || self.changes.as_mut().and_then(|changes| changes.try_recv().ok());
        self.unjudged.take().or_else(next)
    }

    /// The node as it is. That it can't be read is said once, however often that is tried.
    async fn read(&mut self) -> Result<Option<Node>, tree::Error> {
        let found = self.tree.get(&self.path).await;
        match &found {
            Ok(_) => self.unreadable_until = None,
            Err(error) => {
                if self.unreadable_until.replace(Instant::now() + LOOK_AGAIN).is_none() {
                    tracing::warn!(%error, path = self.path, "the stop node can't be read now; it is tried again");
                }
            }
        }
        found
    }

    /// Whether a change of the node asks this master to stop. The change is done with only at the end of this.
    async fn judge(&mut self, change: &TreeChange) -> Result<bool, tree::Error> {
        let node = self.read().await?;
        self.unjudged = None;
        match (change, node) {
            (_, Some(node)) => Ok(Some(node.stat.czxid) != self.old),
            // Gone already: what went was either the old one, or one that was meant for all.
            (TreeChange::Path(_), None) => Ok(self.old.take().is_none()),
            (TreeChange::Resync, None) => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::poll;
    use maas_client::tree::memory::MemoryServer;
    use maas_client::tree::{Access, Mode, Op, TreeExt};
    use std::pin::pin;

    /// Where nothing is asked yet, and who asks.
    async fn site() -> (StopNode, SharedTree) {
        let (server, roots) = (MemoryServer::new(), Roots::default());
        let theirs: SharedTree = server.session();
        theirs.ensure_path(&roots.state, Access::Open).await.unwrap();
        let mut stop = StopNode::open(server.session(), &roots);
        stop.look().await.unwrap();
        (stop, theirs)
    }

    async fn ask(tree: &SharedTree, stop: &StopNode) {
        tree.create(&stop.path, b"{\"with_models\":true}".to_vec(), Mode::Persistent, Access::Open).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_is_kept_when_something_else_comes_while_it_is_read() {
        let (mut stop, tree) = site().await;
        ask(&tree, &stop).await;
        // The memory tree answers at the second look, so that this one ends within the reading.
        assert!(poll!(pin!(stop.asked())).is_pending());
        assert!(tokio::time::timeout(Duration::from_secs(1), stop.asked()).await.expect("the order is lost").unwrap());
        assert!(!stop.was_asked().await.unwrap(), "it was obeyed already");
    }

    #[tokio::test]
    async fn an_order_whose_reading_was_cut_off_is_found_by_those_who_do_not_wait() {
        let (mut stop, tree) = site().await;
        ask(&tree, &stop).await;
        assert!(poll!(pin!(stop.asked())).is_pending());
        assert!(poll!(pin!(stop.was_asked())).is_pending());
        assert!(stop.was_asked().await.unwrap());
        tree.multi(vec![Op::delete(&stop.path, None)]).await.unwrap();
        assert!(poll!(pin!(stop.asked())).is_pending());
        assert!(stop.was_touched());
        assert!(!stop.was_touched());
    }

    #[tokio::test]
    async fn an_order_that_cannot_be_read_now_is_read_later() {
        let (server, roots) = (MemoryServer::new(), Roots::default());
        let (ours, theirs) = (server.session(), server.session());
        theirs.ensure_path(&roots.state, Access::Open).await.unwrap();
        let mut stop = StopNode::open(ours.clone(), &roots);
        stop.look().await.unwrap();
        let theirs: SharedTree = theirs;
        ask(&theirs, &stop).await;
        assert!(stop.was_touched());
        ours.disconnect();
        assert!(stop.now().await.is_err());
        ours.reconnect();
        assert!(stop.was_touched());
        assert!(stop.now().await.unwrap().is_some_and(|asked| asked.with_models));
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_cannot_be_read_is_not_looked_at_without_pause() {
        let (server, roots) = (MemoryServer::new(), Roots::default());
        let ours = server.session();
        let theirs: SharedTree = server.session();
        theirs.ensure_path(&roots.state, Access::Open).await.unwrap();
        let mut stop = StopNode::open(ours.clone(), &roots);
        stop.look().await.unwrap();
        ask(&theirs, &stop).await;
        assert!(stop.was_touched());
        ours.disconnect();
        assert!(stop.now().await.is_err());
        for _ in 0..3 {
            let before = Instant::now();
            assert!(stop.asked().await.is_err());
            assert!(before.elapsed() >= LOOK_AGAIN, "{:?}", before.elapsed());
        }
        ours.reconnect();
        assert!(stop.asked().await.unwrap());
    }
}
