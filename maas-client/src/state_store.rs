//! Fenced writes to the state tree, the nodes a master relies on, and trimming of what is old.
//!
//! Written once over any [`crate::tree::Tree`]. The node's JSON is [`crate::state`]'s, deciding what to write the
//! master's. Every write of a master carries [`Fence::op`], so that a former leader that was paused can write nothing.

use crate::config::Roots;
use crate::tree::{Access, Error, MultiError, Op, SharedTree, TreeExt};
use std::cmp::Reverse;
use std::time::Duration;
use tracing::debug;

/// Most deletes in one transaction.
const BATCH: usize = 500;
/// Idempotency keys carry no order in their names: all are read only on every so many passes.
const READ_KEYS_EVERY: u32 = 60;

/// What every write of one leadership checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The epoch's node.
    pub path: String,
    /// The epoch: that node's data version.
    pub epoch: i32,
}

impl Fence {
    /// The check; it comes first in a transaction.
    pub fn op(&self) -> Op {
        Op::check(&self.path, self.epoch)
    }

    /// True when a transaction that began with [`Fence::op`] failed because another master leads now.
    pub fn is_broken_by(&self, failed: &MultiError) -> bool {
        failed.index == Some(0) && matches!(failed.error, Error::BadVersion { .. } | Error::NoNode { .. })
    }
}

/// Makes every node that a master relies on, with its access. Idempotent; nodes that are there are left as they are.
///
/// `world_registers`: programs without our credentials may register endpoints (`--metron-runners`).
pub async fn ensure_roots(tree: &SharedTree, roots: &Roots, world_registers: bool) -> Result<(), Error> {
    let services = if world_registers { Access::WorldCreates } else { Access::WorldReads };
    let nodes = [
        (roots.queue.clone(), Access::WorldCreates),
        (roots.services.clone(), services),
        (roots.models(), Access::WorldReads),
        (roots.instances(), Access::WorldReads),
        (roots.requests(), Access::WorldReads),
        (roots.ids(), Access::WorldReads),
        (roots.rejected(), Access::Private),
        // Last: clients take the epoch's node as the sign that a master of ours reads the queue.
        (roots.epoch(), Access::WorldReads),
    ];
    for (path, access) in nodes {
        if let Some((parent, _)) = path.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) {
            // What lies above is nobody's in particular: readable, and ours where we make it.
            tree.ensure_path(parent, Access::WorldReads).await?;
        }
        tree.ensure_path(&path, access).await?;
    }
    Ok(())
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Most request outcomes and idempotency keys, each.
    pub requests: usize,
    /// Longest a request outcome or an idempotency key is kept.
    pub requests_for: Duration,
    /// Most messages set aside.
    pub rejected: usize,
}

impl Default for Keep {
    fn default() -> Self {
        Keep { requests: 10_000, requests_for: Duration::from_secs(7 * 24 * 3600), rejected: 1_000 }
    }
}

/// How many nodes a pass took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trimmed {
    /// Request outcomes.
    pub requests: usize,
    /// Idempotency keys.
    pub ids: usize,
    /// Messages set aside.
    pub rejected: usize,
}

/// Takes old nodes away; the leader calls it once a minute.
#[derive(Debug, Default)]
pub struct Trimmer {
    passes: u32,
}

impl Trimmer {
    /// One pass: fenced deletes of what is too much or too old. `now_ms` is compared with the server's times; it decides
    /// only how long history is kept.
    pub async fn pass(
        &mut self,
        tree: &SharedTree,
        roots: &Roots,
        fence: &Fence,
        keep: &Keep,
        now_ms: i64,
    ) -> Result<Trimmed, MultiError> {
        let oldest_ms = now_ms.saturating_sub(i64::try_from(keep.requests_for.as_millis()).unwrap_or(i64::MAX));
        let requests = old_of(tree, &roots.requests(), keep.requests, Some(oldest_ms)).await?;
        let rejected = old_of(tree, &roots.rejected(), keep.rejected, None).await?;
        let ids = self.old_ids(tree, roots, keep, oldest_ms).await?;
        self.passes = self.passes.wrapping_add(1);
        Ok(Trimmed {
            requests: delete_all(tree, fence, requests).await?,
            ids: delete_all(tree, fence, ids).await?,
            rejected: delete_all(tree, fence, rejected).await?,
        })
    }

    async fn old_ids(
        &self,
        tree: &SharedTree,
        roots: &Roots,
        keep: &Keep,
        oldest_ms: i64,
    ) -> Result<Vec<String>, Error> {
        let names = tree.children(&roots.ids()).await?.unwrap_or_default();
        if names.len() <= keep.requests && !self.passes.is_multiple_of(READ_KEYS_EVERY) {
            return Ok(Vec::new());
        }
        let mut found = Vec::with_capacity(names.len());
        for some in names.chunks(BATCH) {
            let reads =
                some.iter().map(|name| async { tree.get(&roots.id(name)).await.map(|node| (roots.id(name), node)) });
            for read in futures_util::future::join_all(reads).await {
                if let (path, Some(node)) = read? {
                    found.push((node.stat.czxid, node.stat.ctime_ms, path));
                }
            }
        }
        found.sort_by_key(|(czxid, ..)| Reverse(*czxid));
        let old = found
            .into_iter()
            .enumerate()
            .filter(|(place, (_, ctime, _))| *place >= keep.requests || *ctime < oldest_ms);
        Ok(old.map(|(_, (_, _, path))| path).collect())
    }
}

/// The creation transaction that a request's id ends in.
fn transaction(id: &str) -> i64 {
    id.rsplit('-').next().and_then(|hex| i64::from_str_radix(hex, 16).ok()).unwrap_or(0)
}

/// Children whose names end in their transaction: those beyond the `most` newest, and those made before `oldest_ms`.
async fn old_of(tree: &SharedTree, parent: &str, most: usize, oldest_ms: Option<i64>) -> Result<Vec<String>, Error> {
    let mut names = tree.children(parent).await?.unwrap_or_default();
    names.sort_by_key(|name| transaction(name));
    let surplus = names.len().saturating_sub(most);
    let kept = names.split_off(surplus);
    let mut old: Vec<String> = names.iter().map(|name| format!("{parent}/{name}")).collect();
    let Some(oldest_ms) = oldest_ms else {
        return Ok(old);
    };
    // From the oldest on, until one is young enough: all after it are.
    for name in kept {
        let path = format!("{parent}/{name}");
        match tree.get(&path).await? {
            Some(node) if node.stat.ctime_ms >= oldest_ms => break,
            Some(_) => old.push(path),
            None => {}
        }
    }
    Ok(old)
}

async fn delete_all(tree: &SharedTree, fence: &Fence, paths: Vec<String>) -> Result<usize, MultiError> {
    let mut deleted = 0;
    for some in paths.chunks(BATCH) {
        let mut left: Vec<&String> = some.iter().collect();
        while !left.is_empty() {
            let mut ops = vec![fence.op()];
            ops.extend(left.iter().map(|path| Op::delete(path.as_str(), None)));
            match tree.multi(ops).await {
                Ok(_) => {
                    deleted += left.len();
                    break;
                }
                // Somebody else took it away: the others still have to go.
                Err(MultiError { index: Some(index), error: Error::NoNode { path } }) if index > 0 => {
                    debug!(path, "old node was gone already");
                    left.remove(index - 1);
                }
                Err(failed) => return Err(failed),
            }
        }
    }
    Ok(deleted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Mode;
    use crate::tree::memory::MemoryServer;

    async fn tree_with(requests: usize) -> (SharedTree, Roots, Fence) {
        let (tree, roots) = (MemoryServer::new().session() as SharedTree, Roots::default());
        ensure_roots(&tree, &roots, false).await.unwrap();
        for number in 0..requests {
            // Names repeat when the queue's root is made again: the transaction orders them.
            let id = format!("qn-{:010}-{number:x}", 9 - number % 10);
            for path in [roots.request(&id), roots.rejection(&id), roots.id(&format!("u{number}"))] {
                tree.create(&path, vec![], Mode::Persistent, Access::WorldReads).await.unwrap();
            }
        }
        let fence = Fence { path: roots.epoch(), epoch: 0 };
        (tree, roots, fence)
    }

    #[tokio::test]
    async fn the_newest_are_kept_and_the_rest_goes() {
        let (tree, roots, fence) = tree_with(30).await;
        let keep = Keep { requests: 20, rejected: 5, ..Keep::default() };
        let trimmed = Trimmer::default().pass(&tree, &roots, &fence, &keep, 0).await.unwrap();
        assert_eq!(trimmed, Trimmed { requests: 10, ids: 10, rejected: 25 });
        let left = tree.children(&roots.requests()).await.unwrap().unwrap();
        assert!(left.iter().all(|id| transaction(id) >= 10), "{left:?}");
        assert!(
            tree.get(&roots.id("u9")).await.unwrap().is_none() && tree.get(&roots.id("u10")).await.unwrap().is_some()
        );
        let again = Trimmer::default().pass(&tree, &roots, &fence, &keep, 0).await.unwrap();
        assert_eq!(again, Trimmed::default());
    }

    #[tokio::test]
    async fn what_is_too_old_goes_and_a_former_leader_trims_nothing() {
        let (tree, roots, fence) = tree_with(4).await;
        let later = i64::MAX;
        tree.multi(vec![Op::set(&fence.path, "", None)]).await.unwrap();
        let failed = Trimmer::default().pass(&tree, &roots, &fence, &Keep::default(), later).await.unwrap_err();
        assert!(fence.is_broken_by(&failed));
        assert_eq!(tree.children(&roots.requests()).await.unwrap().unwrap().len(), 4);
        let fence = Fence { epoch: 1, ..fence };
        let trimmed = Trimmer::default().pass(&tree, &roots, &fence, &Keep::default(), later).await.unwrap();
        assert_eq!(trimmed, Trimmed { requests: 4, ids: 4, rejected: 0 });
    }
}
