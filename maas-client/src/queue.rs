//! The queue: Curator's `SimpleDistributedQueue`, one persistent sequential child with raw bytes per element.
//!
//! Written once over any [`crate::tree::Tree`]. Taking an element is part of the master's transaction (see the
//! state store), so there is no `take` here. The root is made persistent and never deleted: newer Curators
//! leave containers that the server sweeps, so it is also made again.

use crate::config::Roots;
use crate::paths::request_id;
use crate::request::{MAX_MESSAGE, ModelRequest};
use crate::tree::{self, Access, Mode, SharedTree, TreeExt};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tracing::debug;

/// Prefix of an element's name; ten digits follow.
pub const PREFIX: &str = "qn-";

/// Why nothing was enqueued or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is longer than any master would read.
    #[error("request of {length} bytes; at most {MAX_MESSAGE}")]
    TooLong {
        /// How long it is.
        length: usize,
    },
    /// The answer was lost: the request may stand in the queue, or not.
    #[error("connection lost while enqueueing; the request may have been queued")]
    Unknown,
    /// ZooKeeper said no, or could not be reached.
    #[error(transparent)]
    Tree(#[from] tree::Error),
}

/// An element that was enqueued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The child's name, `qn-0000000007`.
    pub child: String,
    /// Its creation transaction.
    pub czxid: i64,
}

impl Queued {
    /// The id its outcome will be found under.
    pub fn request_id(&self) -> String {
        request_id(&self.child, self.czxid)
    }
}

/// An element as it stands in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The child's name.
    pub child: String,
    /// Its creation transaction.
    pub czxid: i64,
    /// Its bytes, from anybody.
    pub data: Vec<u8>,
    /// When it was enqueued by the server's clock, ms since epoch.
    pub ctime_ms: i64,
}

impl Element {
    /// The id its outcome is kept under.
    pub fn request_id(&self) -> String {
        request_id(&self.child, self.czxid)
    }
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Number of elements.
    pub length: usize,
    /// How long the oldest has waited, by the server's clock against ours.
    pub oldest: Option<Duration>,
}

/// A handle on the queue.
#[derive(Clone)]
pub struct Queue {
    tree: SharedTree,
    roots: Roots,
}

impl Queue {
    /// The queue below these roots.
    pub fn new(tree: SharedTree, roots: &Roots) -> Self {
        Queue { tree, roots: roots.clone() }
    }

    /// Makes the root when it is not there. Idempotent.
    pub async fn ensure_root(&self) -> Result<(), Error> {
        Ok(self.tree.ensure_path(&self.roots.queue, Access::WorldCreates).await?)
    }

    /// Enqueues a request.
    pub async fn enqueue(&self, request: &ModelRequest) -> Result<Queued, Error> {
        self.enqueue_bytes(request.encode()).await
    }

    /// Enqueues raw bytes. Not idempotent: after [`Error::Unknown`] the element may be there.
    pub async fn enqueue_bytes(&self, data: Vec<u8>) -> Result<Queued, Error> {
        if data.len() > MAX_MESSAGE {
            return Err(Error::TooLong { length: data.len() });
        }
        let mut tries = 0;
        loop {
            let prefix = self.roots.queue_prefix();
            // With credentials only masters read requests: they may hold a model's environment.
            match self.tree.create(&prefix, data.clone(), Mode::PersistentSequential, Access::Private).await {
                Ok((path, stat)) => {
                    let child = path.rsplit('/').next().unwrap_or_default().to_string();
                    return Ok(Queued { child, czxid: stat.czxid });
                }
                // The root was never made, or swept a moment ago.
                Err(tree::Error::NoNode { .. }) if tries < 3 => self.ensure_root().await?,
                Err(tree::Error::ConnectionLoss) => return Err(Error::Unknown),
                Err(error) => return Err(error.into()),
            }
            tries += 1;
        }
    }

    /// The elements' names, oldest first; `None` when the root is not there. Other children are skipped.
    pub async fn list(&self) -> Result<Option<Vec<String>>, Error> {
        Ok(self.tree.children(&self.roots.queue).await?.map(elements))
    }

    /// One element; `None` when somebody took it.
    pub async fn read(&self, child: &str) -> Result<Option<Element>, Error> {
        let node = self.tree.get(&self.roots.queue_child(child)).await?;
        Ok(node.map(|node| Element {
            child: child.to_string(),
            czxid: node.stat.czxid,
            data: node.data,
            ctime_ms: node.stat.ctime_ms,
        }))
    }

    /// How many wait, and for how long the oldest.
    pub async fn waiting(&self) -> Result<Waiting, Error> {
        let names = self.list().await?.unwrap_or_default();
        let mut oldest = None;
        if let Some(first) = names.first() {
            oldest = self.read(first).await?.map(|element| age(element.ctime_ms));
        }
        Ok(Waiting { length: names.len(), oldest })
    }
}

fn age(ctime_ms: i64) -> Duration {
    let created = UNIX_EPOCH + Duration::from_millis(u64::try_from(ctime_ms).unwrap_or(0));
    // Clocks differ: an element from the future has not waited yet.
    SystemTime::now().duration_since(created).unwrap_or_default()
}

/// Only what the queue's own clients made, in the order it was made.
fn elements(mut children: Vec<String>) -> Vec<String> {
    children.retain(|child| {
        let ours = child.strip_prefix(PREFIX).is_some_and(|digits| digits.parse::<i64>().is_ok());
        if !ours {
            debug!(child, "child of the queue is no element, skipped");
        }
        ours
    });
    children.sort_unstable();
    children
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree as _;
    use crate::tree::memory::MemoryServer;

    fn queue() -> (std::sync::Arc<crate::tree::memory::MemoryTree>, Queue) {
        let tree = MemoryServer::new().session();
        (tree.clone(), Queue::new(tree, &Roots::default()))
    }

    #[tokio::test]
    async fn elements_keep_their_order_and_the_root_is_made_again() {
        let (tree, queue) = queue();
        assert_eq!(queue.list().await.unwrap(), None);
        let first = queue.enqueue_bytes(b"one".to_vec()).await.unwrap();
        let second = queue.enqueue_bytes(b"two".to_vec()).await.unwrap();
        tree.create("/maas/queue/lock", vec![], Mode::Persistent, Access::Open).await.unwrap();
        assert_eq!(queue.list().await.unwrap().unwrap(), ["qn-0000000000", "qn-0000000001"]);
        let element = queue.read(&second.child).await.unwrap().unwrap();
        assert_eq!((element.data.as_slice(), element.request_id()), (&b"two"[..], second.request_id()));
        assert_eq!(queue.waiting().await.unwrap().length, 2);
        for child in tree.children("/maas/queue").await.unwrap().unwrap() {
            tree.delete_if_exists(&format!("/maas/queue/{child}"), None).await.unwrap();
        }
        tree.delete_if_exists("/maas/queue", None).await.unwrap();
        let again = queue.enqueue_bytes(b"three".to_vec()).await.unwrap();
        assert_eq!(again.child, first.child, "names repeat when the root is made again");
        assert_ne!(again.request_id(), first.request_id());
    }

    #[tokio::test]
    async fn a_lost_answer_and_too_long_a_message_are_told_apart() {
        let (tree, queue) = queue();
        queue.ensure_root().await.unwrap();
        tree.lose_next_answer(true);
        assert!(matches!(queue.enqueue_bytes(b"x".to_vec()).await, Err(Error::Unknown)));
        assert_eq!(queue.waiting().await.unwrap().length, 1);
        assert!(matches!(queue.enqueue_bytes(vec![b' '; MAX_MESSAGE + 1]).await, Err(Error::TooLong { .. })));
    }
}
