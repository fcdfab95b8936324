//! What the memory tree's sessions share: the nodes, the transaction counter, and everybody's watches.
//!
//! Synchronous and without sessions' own state beyond their ids; [`super`] adds connections and faults. Transactions are
//! applied in place with a log of how to undo them.

use crate::tree::{Done, Error, Mode, MultiError, Node, Op, Stat, TreeChange};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot};

/// Identifies a client of the server for its watches, across its sessions.
pub(super) type ClientId = u64;

#[derive(Debug, Clone, Default)]
struct Stored {
    data: Arc<Vec<u8>>,
    stat: Stat,
    children: BTreeSet<String>,
    /// Children created so far: the next sequence number.
    created: i32,
}

impl Stored {
    fn stat(&self) -> Stat {
        let children = i32::try_from(self.children.len()).unwrap_or(i32::MAX);
        let cversion = self.created.saturating_mul(2).saturating_sub(children);
        let data_length = i32::try_from(self.data.len()).unwrap_or(i32::MAX);
        Stat { num_children: children, cversion, data_length, ..self.stat }
    }
}

enum Undo {
    Remove(String),
    Restore(String, Stored),
    Insert(String, Stored),
}

enum Event {
    Created(String),
    Changed(String),
    Deleted(String),
}

struct OneShot {
    client: ClientId,
    sender: oneshot::Sender<()>,
}

struct Recursive {
    client: ClientId,
    root: String,
    sender: mpsc::UnboundedSender<TreeChange>,
}

/// The shared data of all sessions.
pub(super) struct Data {
    nodes: BTreeMap<String, Stored>,
    zxid: i64,
    node_watches: HashMap<String, Vec<OneShot>>,
    child_watches: HashMap<String, Vec<OneShot>>,
    tree_watches: Vec<Recursive>,
    next_id: i64,
}

impl Data {
    pub(super) fn new() -> Data {
        Data {
            nodes: BTreeMap::from([("/".to_string(), Stored::default())]),
            zxid: 0,
            node_watches: HashMap::new(),
            child_watches: HashMap::new(),
            tree_watches: Vec::new(),
            next_id: 0,
        }
    }

    /// An id for a new client or session.
    pub(super) fn new_id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn get(&self, path: &str) -> Option<Node> {
        self.nodes.get(path).map(|stored| Node { data: stored.data.to_vec(), stat: stored.stat() })
    }

    pub(super) fn stat(&self, path: &str) -> Option<Stat> {
        self.nodes.get(path).map(Stored::stat)
    }

    pub(super) fn children(&self, path: &str) -> Option<Vec<String>> {
        self.nodes.get(path).map(|stored| stored.children.iter().cloned().collect())
    }

    /// All or nothing, under one transaction number; fires the watches it concerns.
    pub(super) fn multi(&mut self, session: i64, ops: Vec<Op>) -> Result<Vec<Done>, MultiError> {
        self.zxid += 1;
        let (mut undo, mut events, mut done) = (Vec::new(), Vec::new(), Vec::new());
        for (index, op) in ops.into_iter().enumerate() {
            match self.apply(session, op, &mut undo, &mut events) {
                Ok(one) => done.push(one),
                Err(error) => {
                    undo.into_iter().rev().for_each(|step| self.revert(step));
                    return Err(MultiError { index: Some(index), error });
                }
            }
        }
        events.iter().for_each(|event| self.fire(event));
        Ok(done)
    }

    fn apply(&mut self, session: i64, op: Op, undo: &mut Vec<Undo>, events: &mut Vec<Event>) -> Result<Done, Error> {
        match op {
            Op::Check { path, version } => {
                self.at_version(path, Some(version))?;
                Ok(Done::Done)
            }
            Op::Create { path, data, mode, access: _ } => {
                let (path, stat) = self.create(session, path, data, mode)?;
                undo.push(Undo::Remove(path.clone()));
                events.push(Event::Created(path.clone()));
                Ok(Done::Created { path, stat })
            }
            Op::Set { path, data, version } => {
                let (zxid, now) = (self.zxid, now_ms());
                let (path, stored) = self.at_version(path, version)?;
                undo.push(Undo::Restore(path.clone(), stored.clone()));
                stored.data = Arc::new(data);
                stored.stat = Stat { version: stored.stat.version + 1, mzxid: zxid, mtime_ms: now, ..stored.stat };
                let stat = stored.stat();
                events.push(Event::Changed(path));
                Ok(Done::Set(stat))
            }
            Op::Delete { path, version } => {
                let (path, stored) = self.at_version(path, version)?;
                if !stored.children.is_empty() || path == "/" {
                    return Err(Error::NotEmpty { path });
                }
                let (parent, name) = split(&path);
                if let Some(parent) = self.nodes.get_mut(parent) {
                    parent.children.remove(name);
                }
                if let Some(stored) = self.nodes.remove(&path) {
                    undo.push(Undo::Insert(path.clone(), stored));
                }
                events.push(Event::Deleted(path));
                Ok(Done::Done)
            }
        }
    }

    fn at_version(&mut self, path: String, version: Option<i32>) -> Result<(String, &mut Stored), Error> {
        match self.nodes.get_mut(&path) {
            None => Err(Error::NoNode { path }),
            Some(stored) if version.is_some_and(|version| version != stored.stat.version) => {
                Err(Error::BadVersion { path })
            }
            Some(stored) => Ok((path, stored)),
        }
    }

    fn create(&mut self, session: i64, path: String, data: Vec<u8>, mode: Mode) -> Result<(String, Stat), Error> {
        if path == "/" {
            return Err(Error::NodeExists { path });
        }
        let (parent_path, _) = split(&path);
        let parent_path = parent_path.to_string();
        let Some(parent) = self.nodes.get(&parent_path) else {
            return Err(Error::NoNode { path });
        };
        if parent.stat.ephemeral_owner != 0 {
            return Err(Error::NoChildrenForEphemerals { path });
        }
        let path = match mode {
            Mode::PersistentSequential => format!("{path}{:010}", parent.created),
            Mode::Persistent | Mode::Ephemeral => path,
        };
        if self.nodes.contains_key(&path) {
            return Err(Error::NodeExists { path });
        }
        let now = now_ms();
        let ephemeral_owner = if mode == Mode::Ephemeral { session } else { 0 };
        let stat = Stat {
            czxid: self.zxid,
            mzxid: self.zxid,
            ephemeral_owner,
            ctime_ms: now,
            mtime_ms: now,
            ..Stat::default()
        };
        let stored = Stored { data: Arc::new(data), stat, ..Stored::default() };
        self.nodes.insert(path.clone(), stored);
        if let Some(parent) = self.nodes.get_mut(&parent_path) {
            parent.children.insert(split(&path).1.to_string());
            parent.created += 1;
        }
        Ok((path, stat))
    }

    fn revert(&mut self, step: Undo) {
        match step {
            Undo::Restore(path, stored) => {
                self.nodes.insert(path, stored);
            }
            Undo::Remove(path) => {
                self.nodes.remove(&path);
                let (parent, name) = split(&path);
                if let Some(parent) = self.nodes.get_mut(parent) {
                    parent.children.remove(name);
                    parent.created -= 1;
                }
            }
            Undo::Insert(path, stored) => {
                let (parent, name) = split(&path);
                if let Some(parent) = self.nodes.get_mut(parent) {
                    parent.children.insert(name.to_string());
                }
                self.nodes.insert(path, stored);
            }
        }
    }

    /// Deletes everything a session owns.
    pub(super) fn end_session(&mut self, session: i64) {
        let owned: Vec<String> = self
            .nodes
            .iter()
            .filter(|(_, stored)| stored.stat.ephemeral_owner == session)
            .map(|(path, _)| path.clone())
            .collect();
        for path in owned {
            // Ephemerals have no children and no version is given: this can't fail.
            let _gone = self.multi(session, vec![Op::delete(path, None)]);
        }
    }

    fn fire(&mut self, event: &Event) {
        let path = match event {
            Event::Created(path) | Event::Changed(path) | Event::Deleted(path) => path,
        };
        send_all(self.node_watches.remove(path));
        if !matches!(event, Event::Changed(_)) {
            send_all(self.child_watches.remove(split(path).0));
        }
        if matches!(event, Event::Deleted(_)) {
            send_all(self.child_watches.remove(path));
        }
        self.tree_watches.retain(|watch| {
            if watch.sender.is_closed() {
                return false;
            }
            if is_below(path, &watch.root) {
                return watch.sender.send(TreeChange::Path(path.clone())).is_ok();
            }
            true
        });
    }

    pub(super) fn watch_node(&mut self, client: ClientId, path: &str, sender: oneshot::Sender<()>) {
        self.node_watches.entry(path.to_string()).or_default().push(OneShot { client, sender });
    }

    pub(super) fn watch_children(&mut self, client: ClientId, path: &str, sender: oneshot::Sender<()>) {
        // As with the server, a watch on the children of a node that is not there is one on its existence.
        let watches = if self.nodes.contains_key(path) { &mut self.child_watches } else { &mut self.node_watches };
        watches.entry(path.to_string()).or_default().push(OneShot { client, sender });
    }

    pub(super) fn watch_tree(&mut self, client: ClientId, root: &str, sender: mpsc::UnboundedSender<TreeChange>) {
        self.tree_watches.push(Recursive { client, root: root.to_string(), sender });
    }

    /// The client's connection is gone: its one-shot watches fire.
    pub(super) fn drop_watches(&mut self, client: ClientId) {
        for watches in [&mut self.node_watches, &mut self.child_watches] {
            watches.retain(|_, list| {
                list.retain(|watch| watch.client != client);
                !list.is_empty()
            });
        }
    }

    /// Takes the client's recursive watches off while it is away; they are kept by the caller.
    pub(super) fn take_tree_watches(&mut self, client: ClientId) -> Vec<(String, mpsc::UnboundedSender<TreeChange>)> {
        let all = std::mem::take(&mut self.tree_watches);
        let (mine, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|watch| watch.client == client);
        self.tree_watches = others;
        mine.into_iter().map(|watch| (watch.root, watch.sender)).collect()
    }
}

fn send_all(watches: Option<Vec<OneShot>>) {
    for watch in watches.into_iter().flatten() {
        // Nobody waits any more: nothing to tell.
        let _unheard = watch.sender.send(());
    }
}

/// Parent and last part of an absolute path; the root's parent is the root.
fn split(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((parent, name)) => (parent, name),
        None => ("/", path),
    }
}

/// Whether `path` is `root` or below it.
fn is_below(path: &str, root: &str) -> bool {
    root == "/" || path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
