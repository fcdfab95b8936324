//! Election and fencing: one master leads, and nothing a former leader still sends can be written.
//!
//! The epoch node's data version is the epoch. Winning creates the ephemeral `leader` and bumps the epoch in one
//! transaction; every later write of the winner carries a check of that version. What a term does is the reconciler's.

use maas_client::config::Roots;
use maas_client::state::{Cluster, FORMAT, Leader};
use maas_client::state_store::Fence;
use maas_client::tree::{Access, Error, Mode, MultiError, Node, Op, SharedTree, TreeExt};

/// One leadership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The epoch.
    pub epoch: i32,
    /// The session that owns the leader's node.
    pub session: i64,
    /// The leader's node as it was written.
    pub leader: Leader,
    pub(crate) fence: Fence,
}

impl Term {
    fn new(epoch_path: String, session: i64, leader: Leader) -> Term {
        Term { epoch: leader.epoch, session, fence: Fence { path: epoch_path, epoch: leader.epoch }, leader }
    }

    /// The check every write of this term begins with.
    pub fn fence(&self) -> Op {
        self.fence.op()
    }

    /// True when a failed transaction that began with [`Term::fence`] says that this term is over.
    pub fn is_over_by(&self, failed: &MultiError) -> bool {
        matches!(failed.error, Error::SessionExpired) || self.fence.is_broken_by(failed)
    }
}

/// How an attempt to lead ended.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Attempt {
    /// This session leads now.
    Won(Term),
    /// Another session leads.
    Lost {
        /// What it says of itself, as far as it can be read.
        leader: Option<Leader>,
    },
}

/// What the state tree says of its format.
#[derive(Debug)]
#[must_use]
pub enum Format {
    /// Ours, older, or not written yet.
    Known,
    /// Newer than ours; such a tree is not touched.
    Newer(u32),
    /// It can't be read, so that it may be newer; such a tree is not touched either.
    Unreadable(serde_json::Error),
}

/// The one field that every format has; all else may change with it.
#[derive(serde::Deserialize)]
struct FormatOnly {
    format: u32,
}

/// The format of the state.
pub async fn format_of(tree: &SharedTree, roots: &Roots) -> Result<Format, Error> {
    Ok(match tree.get_json::<FormatOnly>(&roots.cluster()).await? {
        None => Format::Known,
        Some((Ok(there), _)) if there.format > FORMAT => Format::Newer(there.format),
        Some((Ok(_), _)) => Format::Known,
        Some((Err(error), _)) => Format::Unreadable(error),
    })
}

/// Tries once to win. After a lost answer call it again: it finds its own node.
pub async fn attempt(tree: &SharedTree, roots: &Roots, leader: Leader) -> Result<Attempt, Error> {
    let Some(session) = tree.session().borrow().connected() else {
        return Err(Error::ConnectionLoss);
    };
    tree.sync(&roots.state).await?;
    let epoch_path = roots.epoch();
    let epoch_node = tree.get(&epoch_path).await?.ok_or_else(|| Error::NoNode { path: epoch_path.clone() })?;
    if let Some(node) = tree.get(&roots.leader()).await? {
        let there: Option<Leader> = serde_json::from_slice(&node.data).ok();
        if node.stat.ephemeral_owner != session {
            if there.as_ref().is_some_and(|there| is_earlier_attempt(there, &leader)) {
                return win(tree, roots, session, leader, &epoch_node, Some(node.stat.version)).await;
            }
            return Ok(Attempt::Lost { leader: there });
        }
        // Our own: the answer to the winning transaction was lost. It stands as long as nobody bumped the epoch.
        if let Some(there) = there.filter(|there| there.epoch == epoch_node.stat.version) {
            return Ok(Attempt::Won(Term::new(epoch_path, session, there)));
        }
        tree.delete_if_exists(&roots.leader(), Some(node.stat.version)).await?;
    }
    win(tree, roots, session, leader, &epoch_node, None).await
}

/// A cluster starts another attempt of an application only after the one before is over, whose session may outlive it.
fn is_earlier_attempt(there: &Leader, ours: &Leader) -> bool {
    let same = there.application.is_some() && there.application == ours.application;
    same && there.attempt < ours.attempt
}

/// Creates the leader's node, in the place of one of this version where there is one.
async fn win(
    tree: &SharedTree,
    roots: &Roots,
    session: i64,
    mut leader: Leader,
    epoch_node: &Node,
    instead_of: Option<i32>,
) -> Result<Attempt, Error> {
    let epoch_path = roots.epoch();
    leader.epoch = epoch_node.stat.version.saturating_add(1);
    let leader_bytes = serde_json::to_vec(&leader).map_err(|error| Error::Invalid { message: error.to_string() })?;
    let mut ops = vec![Op::set(&epoch_path, Vec::new(), Some(epoch_node.stat.version))];
    ops.extend(instead_of.map(|version| Op::delete(roots.leader(), Some(version))));
    ops.push(Op::Create {
        path: roots.leader(),
        data: leader_bytes,
        mode: Mode::Ephemeral,
        access: Access::WorldReads,
    });
    match tree.multi(ops).await {
        Ok(_) => Ok(Attempt::Won(Term::new(epoch_path, session, leader))),
        Err(MultiError {
            error: Error::BadVersion { .. } | Error::NodeExists { .. } | Error::NoNode { .. }, ..
        }) => Ok(Attempt::Lost { leader: None }),
        Err(failed) => Err(failed.error),
    }
}

/// Writes what clients need to know to publish. Fenced, idempotent.
pub async fn write_cluster(tree: &SharedTree, roots: &Roots, term: &Term, cluster: &Cluster) -> Result<(), MultiError> {
    let path = roots.cluster();
    let bytes = serde_json::to_vec(cluster).map_err(|error| Error::Invalid { message: error.to_string() })?;
    let write = match tree.get(&path).await? {
        Some(node) if node.data == bytes => return Ok(()),
        Some(_) => Op::set(&path, bytes, None),
        None => Op::create(&path, bytes),
    };
    tree.multi(vec![term.fence(), write]).await.map(|_| ())
}

/// Gives the lead back, so that a standby need not wait for the session to expire; `also` happens with it.
pub async fn resign(tree: &SharedTree, roots: &Roots, term: &Term, also: Option<Op>) -> Result<(), MultiError> {
    let mut ops = vec![term.fence(), Op::delete(roots.leader(), None)];
    ops.extend(also);
    tree.multi(ops).await.map(|_| ())
}

#[cfg(test)]
mod tests;
