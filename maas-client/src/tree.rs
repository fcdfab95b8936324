//! The seam to ZooKeeper: its data tree behind one object-safe trait, with transactions, sessions and watches.
//!
//! Queue, registry and state store are written once on top of this trait; the real server ([`crate::zk`]) and the
//! memory tree ([`memory`]) stand below it and pass the same contract tests. What the trait does *not* do: retry a
//! write whose outcome is unknown, create parents, or interpret bytes.

pub mod memory;

use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::watch;

/// A shared tree.
pub type SharedTree = Arc<dyn Tree>;

/// Most bytes a node or a whole transaction may have. The server cuts the connection, and with it all calls in flight,
/// at 1 MiB; every tree refuses this much before sending.
pub const MAX_WRITE: usize = 900_000;

/// What ZooKeeper says of a node besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stat {
    /// Transaction that created the node.
    pub czxid: i64,
    /// Transaction that last changed its bytes.
    pub mzxid: i64,
    /// Number of changes of its bytes.
    pub version: i32,
    /// Number of changes of its children.
    pub cversion: i32,
    /// Session that owns it; 0 for a persistent node.
    pub ephemeral_owner: i64,
    /// Creation time by the server's clock, ms since epoch.
    pub ctime_ms: i64,
    /// Time of the last change by the server's clock, ms since epoch.
    pub mtime_ms: i64,
    /// Number of children.
    pub num_children: i32,
    /// Number of its bytes.
    pub data_length: i32,
}

/// A node's bytes and stat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The bytes.
    pub data: Vec<u8>,
    /// The stat.
    pub stat: Stat,
}

/// How a node is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Stays until deleted.
    Persistent,
    /// Stays until deleted; the server appends ten digits to the name.
    PersistentSequential,
    /// Goes with the session.
    Ephemeral,
}

/// Who may do what with a node. Without credentials everything is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// The tree's default for state: ours alone when the tree has credentials, the world may read.
    #[default]
    WorldReads,
    /// Ours alone when the tree has credentials (`spec`, `rejected`).
    Private,
    /// Ours, and the world may create children and read (the queue's root, the services' root with `--metron-runners`).
    WorldCreates,
    /// Open to all, credentials or not.
    Open,
    /// Ours; the runner's credential may create children and read (an instance record and its parent).
    RunnerCreates,
}

/// One part of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// The node exists at this version.
    Check {
        /// Which node.
        path: String,
        /// Its expected version.
        version: i32,
    },
    /// Creates a node; fails when it exists or its parent does not.
    Create {
        /// Which node (a prefix when sequential).
        path: String,
        /// Its bytes.
        data: Vec<u8>,
        /// How.
        mode: Mode,
        /// Who may do what with it.
        access: Access,
    },
    /// Replaces the bytes.
    Set {
        /// Which node.
        path: String,
        /// The new bytes.
        data: Vec<u8>,
        /// Expected version; `None` for any.
        version: Option<i32>,
    },
    /// Deletes a node without children.
    Delete {
        /// Which node.
        path: String,
        /// Expected version; `None` for any.
        version: Option<i32>,
    },
}

impl Op {
    /// A persistent node with the default access.
    pub fn create(path: impl Into<String>, data: impl Into<Vec<u8>>) -> Op {
        Op::Create { path: path.into(), data: data.into(), mode: Mode::Persistent, access: Access::WorldReads }
    }
    /// An ephemeral node with the default access.
    pub fn create_ephemeral(path: impl Into<String>, data: impl Into<Vec<u8>>) -> Op {
        Op::Create { path: path.into(), data: data.into(), mode: Mode::Ephemeral, access: Access::WorldReads }
    }
    /// A check of a version.
    pub fn check(path: impl Into<String>, version: i32) -> Op {
        Op::Check { path: path.into(), version }
    }
    /// New bytes at an expected version.
    pub fn set(path: impl Into<String>, data: impl Into<Vec<u8>>, version: Option<i32>) -> Op {
        Op::Set { path: path.into(), data: data.into(), version }
    }
    /// A deletion at an expected version.
    pub fn delete(path: impl Into<String>, version: Option<i32>) -> Op {
        Op::Delete { path: path.into(), version }
    }
    /// How many bytes it takes on the wire, roughly.
    pub fn size(&self) -> usize {
        let data = match self {
            Op::Create { data, .. } | Op::Set { data, .. } => data.len(),
            Op::Check { .. } | Op::Delete { .. } => 0,
        };
        self.path().len() + data + 64
    }
    /// The path it concerns.
    pub fn path(&self) -> &str {
        match self {
            Op::Check { path, .. } | Op::Create { path, .. } | Op::Set { path, .. } | Op::Delete { path, .. } => path,
        }
    }
}

/// What a successful part of a transaction did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// A check held, or a node was deleted.
    Done,
    /// A node was created under this path (with its digits when sequential).
    Created {
        /// The whole path.
        path: String,
        /// Its stat.
        stat: Stat,
    },
    /// Bytes were replaced.
    Set(Stat),
}

/// Why an operation did not succeed. Only [`Error::ConnectionLoss`] leaves the outcome unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The node, or the parent of a node to be created, is not there.
    #[error("no node {path}")]
    NoNode {
        /// Which.
        path: String,
    },
    /// The node to be created is there.
    #[error("node {path} exists")]
    NodeExists {
        /// Which.
        path: String,
    },
    /// The node has another version than expected.
    #[error("node {path} was changed by someone else")]
    BadVersion {
        /// Which.
        path: String,
    },
    /// The node to be deleted has children.
    #[error("node {path} has children")]
    NotEmpty {
        /// Which.
        path: String,
    },
    /// The session's credentials do not allow it.
    #[error("not permitted on {path}; see --zk-auth-file")]
    NoAuth {
        /// Which.
        path: String,
    },
    /// An ephemeral node can't have children.
    #[error("node {path} belongs to a session and can have no children")]
    NoChildrenForEphemerals {
        /// Which.
        path: String,
    },
    /// A transaction or node larger than the server takes; refused before it is sent.
    #[error("{bytes} bytes for {path}; at most {limit} at once")]
    TooLarge {
        /// Which node, the first of a transaction.
        path: String,
        /// How many.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The connection was lost before the answer: a write may or may not have been done.
    #[error("connection to ZooKeeper lost; the outcome is unknown")]
    ConnectionLoss,
    /// The session is over: its ephemeral nodes are gone, a new session follows.
    #[error("ZooKeeper session expired")]
    SessionExpired,
    /// No server could be reached in time.
    #[error("ZooKeeper can't be reached: {detail}")]
    Unreachable {
        /// Each server and its trouble.
        detail: String,
    },
    /// The server is too old for transactions or persistent watches.
    #[error("ZooKeeper {found} is too old; 3.6 or newer is needed")]
    OldServer {
        /// What it says it is.
        found: String,
    },
    /// A path, credential or connect string the client library refuses.
    #[error("{message}")]
    Invalid {
        /// What is wrong with it.
        message: String,
    },
}

impl Error {
    /// True when the same call may succeed later without any change: no connection or a session that is being replaced.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::ConnectionLoss | Error::SessionExpired | Error::Unreachable { .. })
    }
}

/// Refuses what the server would answer by cutting the connection, and paths that are none.
pub(crate) fn check_ops(ops: &[Op]) -> Result<(), MultiError> {
    for (index, op) in ops.iter().enumerate() {
        check_path(op.path()).map_err(|error| MultiError { index: Some(index), error })?;
    }
    let bytes = ops.iter().map(Op::size).sum();
    if bytes > MAX_WRITE {
        let path = ops.first().map(|op| op.path().to_string()).unwrap_or_default();
        return Err(Error::TooLarge { path, bytes, limit: MAX_WRITE }.into());
    }
    Ok(())
}

/// Absolute, no empty, `.` or `..` part, no control character.
pub(crate) fn check_path(path: &str) -> Result<(), Error> {
    let part_ok = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.chars().any(char::is_control);
    if path == "/" || path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(part_ok)) {
        return Ok(());
    }
    Err(Error::Invalid { message: format!("{path:?} is no absolute ZooKeeper path") })
}

/// A failed transaction: nothing of it was done (unless the error is [`Error::ConnectionLoss`]).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct MultiError {
    /// Which part failed; `None` when it never came to that.
    pub index: Option<usize>,
    /// Why.
    #[source]
    pub error: Error,
}

impl From<Error> for MultiError {
    fn from(error: Error) -> Self {
        MultiError { index: None, error }
    }
}

impl From<MultiError> for Error {
    fn from(failed: MultiError) -> Self {
        failed.error
    }
}

/// The session as its users see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// Connected under this session id.
    Connected {
        /// The id, as it stands in `ephemeral_owner`.
        id: i64,
    },
    /// Not connected; the session of this id may still live on the server.
    Disconnected {
        /// The id of the last session, 0 before the first.
        id: i64,
    },
    /// Closed for good, by [`Tree::close`] or because its owner is gone.
    Closed,
}

impl SessionState {
    /// The session's id when connected.
    pub fn connected(self) -> Option<i64> {
        match self {
            SessionState::Connected { id } => Some(id),
            _ => None,
        }
    }
}

/// Says once that something may have changed. Carries no information: look again.
///
/// It also fires when the connection or the session is lost, because changes may have been missed since.
#[derive(Debug)]
pub struct Watch(pub(crate) tokio::sync::oneshot::Receiver<()>);

impl Watch {
    /// Makes a watch with the side that fires it; dropping that side fires it too.
    pub fn channel() -> (tokio::sync::oneshot::Sender<()>, Watch) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        (sender, Watch(receiver))
    }

    /// Waits until something may have changed.
    pub async fn changed(self) {
        let _fired_or_dropped = self.0.await;
    }
}

/// Takes a node that somebody locked for one that is not there: it can't hide those that can be read.
pub fn unless_locked<T>(answer: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(Error::NoAuth { path }) => {
            tracing::debug!(path, "not permitted to read it; left out");
            Ok(None)
        }
        answer => answer,
    }
}

/// One message of a recursive watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeChange {
    /// This path was created, changed or deleted.
    Path(String),
    /// The connection was away: read everything again.
    Resync,
}

/// ZooKeeper's data tree, through one session that is replaced when it expires.
///
/// Paths are absolute and below the connect string's chroot. Reads go to the connected server; [`Tree::sync`] makes it
/// catch up with the leader. All calls fail with a retryable [`Error`] while there is no connection (after waiting at
/// most the tree's own call time-out for one).
#[async_trait]
pub trait Tree: Send + Sync + 'static {
    /// The node, or `None` when there is none.
    async fn get(&self, path: &str) -> Result<Option<Node>, Error>;

    /// What is known of the node without its bytes, or `None` when there is none. Of a node that this session may not
    /// read some servers tell it and others answer [`Error::NoAuth`], so that either way the node is there.
    async fn stat(&self, path: &str) -> Result<Option<Stat>, Error>;

    /// The names of the children, sorted; `None` when there is no such node.
    async fn children(&self, path: &str) -> Result<Option<Vec<String>>, Error>;

    /// All or nothing. Never retried here: on [`Error::ConnectionLoss`] the caller looks at the tree.
    async fn multi(&self, ops: Vec<Op>) -> Result<Vec<Done>, MultiError>;

    /// As [`Tree::get`], with a watch set in the same request (on existence when there is no node).
    async fn get_and_watch(&self, path: &str) -> Result<(Option<Node>, Watch), Error>;

    /// As [`Tree::children`], with a watch set in the same request (on existence when there is no node).
    async fn children_and_watch(&self, path: &str) -> Result<(Option<Vec<String>>, Watch), Error>;

    /// Changes anywhere at or below `path`, from now on. The path need not exist. Dropping the receiver ends it.
    async fn watch_tree(&self, path: &str) -> Result<tokio::sync::mpsc::UnboundedReceiver<TreeChange>, Error>;

    /// Makes the connected server catch up before the next read.
    async fn sync(&self, path: &str) -> Result<(), Error>;

    /// The session's state, watched.
    fn session(&self) -> watch::Receiver<SessionState>;

    /// Ends the session; its ephemeral nodes go at once. Idempotent.
    async fn close(&self);
}

/// What is written once over any tree.
#[async_trait]
pub trait TreeExt {
    /// Creates one node and returns its whole path and stat.
    async fn create(&self, path: &str, data: Vec<u8>, mode: Mode, access: Access) -> Result<(String, Stat), Error>;

    /// Creates a persistent path with all its parents; existing nodes are left as they are. Idempotent.
    async fn ensure_path(&self, path: &str, access: Access) -> Result<(), Error>;

    /// Deletes a node; `Ok` when it was not there.
    async fn delete_if_exists(&self, path: &str, version: Option<i32>) -> Result<(), Error>;

    /// The bytes as JSON; `None` when there is no node. Bytes that are no such JSON are an `Err` of the inner result.
    async fn get_json<T: serde::de::DeserializeOwned + Send>(
        &self,
        path: &str,
    ) -> Result<Option<(Result<T, serde_json::Error>, Stat)>, Error>;
}

#[async_trait]
impl<X: Tree + ?Sized> TreeExt for X {
    async fn create(&self, path: &str, data: Vec<u8>, mode: Mode, access: Access) -> Result<(String, Stat), Error> {
        let done = self.multi(vec![Op::Create { path: path.to_string(), data, mode, access }]).await?;
        match done.into_iter().next() {
            Some(Done::Created { path, stat }) => Ok((path, stat)),
            other => Err(Error::Invalid { message: format!("create of {path} answered {other:?}") }),
        }
    }

    async fn ensure_path(&self, path: &str, access: Access) -> Result<(), Error> {
        if self.get(path).await?.is_some() {
            return Ok(());
        }
        let mut ends: Vec<usize> = path.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(i, _)| i).collect();
        ends.push(path.len());
        for end in ends {
            let part = &path[..end];
            match self.create(part, Vec::new(), Mode::Persistent, access).await {
                Ok(_) | Err(Error::NodeExists { .. }) => {}
                // A parent that others made may be closed to us and still hold what we look for.
                Err(Error::NoAuth { .. }) if self.get(part).await?.is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn delete_if_exists(&self, path: &str, version: Option<i32>) -> Result<(), Error> {
        match self.multi(vec![Op::delete(path, version)]).await {
            Ok(_) => Ok(()),
            Err(MultiError { error: Error::NoNode { .. }, .. }) => Ok(()),
            Err(failed) => Err(failed.error),
        }
    }

    async fn get_json<T: serde::de::DeserializeOwned + Send>(
        &self,
        path: &str,
    ) -> Result<Option<(Result<T, serde_json::Error>, Stat)>, Error> {
        Ok(self.get(path).await?.map(|node| (serde_json::from_slice(&node.data), node.stat)))
    }
}
