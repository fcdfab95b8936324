//! Follows one name: a child watch on it, a data watch on each instance and on what is wanted of each registered version.
//!
//! A watch says "look again" only. A name that does not exist is watched for existence. After every reconnection
//! everything is read again; in between only what changed is.

use super::read;
use super::{Cell, Shared};
use crate::discovery::{Discovery, Wish};
use crate::model::ModelVersion;
use crate::registry::Endpoint;
use crate::tree::{self, SessionState, Watch};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, FuturesUnordered, StreamExt};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How many reads are under way at once for one name.
const PIPELINE: usize = 256;
/// Pause before a failed read is tried again; doubles up to [`PAUSE_MOST`].
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MOST: Duration = Duration::from_secs(1);

/// What a watch was set on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Watched {
    Children,
    Instance(String),
    Wish(ModelVersion),
}

/// What reading again has brought.
#[derive(Default)]
struct News {
    gone: HashSet<String>,
    found: Vec<(Endpoint, i64)>,
    wishes: Vec<(ModelVersion, Option<Wish>)>,
}

/// Why following stopped.
enum Stopped {
    /// The last handle is gone, the session closed, or the recursive watch has taken over.
    ForGood,
    /// The connection went, or a read failed: read everything again.
    ReadAgain,
}

/// Follows the cell's name until the last handle is dropped.
pub(super) async fn follow(shared: Arc<Shared>, cell: Arc<Cell>, alive: watch::Receiver<()>) {
    let discovery = Discovery::new(cell.name.clone(), shared.policy.grace.clone());
    let session = shared.tree.session();
    let complete = shared.complete.subscribe();
    let mut follower = Follower {
        shared,
        cell,
        discovery,
        session,
        alive,
        complete,
        serial: 0,
        watched: HashMap::new(),
        fired: FuturesUnordered::new(),
        last_session: None,
        away_since: None,
    };
    follower.run().await;
    // Whoever waits for a first snapshot must not wait for a task that is gone.
    if *follower.complete.borrow() {
        follower.cell.mark_synced();
    }
}

struct Follower {
    shared: Arc<Shared>,
    cell: Arc<Cell>,
    discovery: Discovery,
    session: watch::Receiver<SessionState>,
    alive: watch::Receiver<()>,
    complete: watch::Receiver<bool>,
    /// Tells a watch that was replaced from the one that counts.
    serial: u64,
    watched: HashMap<Watched, u64>,
    fired: FuturesUnordered<BoxFuture<'static, (Watched, u64)>>,
    last_session: Option<i64>,
    away_since: Option<Instant>,
}

impl Follower {
    async fn run(&mut self) {
        let mut pause = PAUSE_FIRST;
        loop {
            let Some(session) = self.connected().await else {
                return;
            };
            match self.read_all(session).await {
                Ok(()) => {
                    pause = PAUSE_FIRST;
                    match self.follow_changes(session).await {
                        Stopped::ForGood => return,
                        Stopped::ReadAgain => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(model = %self.cell.name, error = %error, "registry can't be read; trying again");
                    self.away_since.get_or_insert_with(Instant::now);
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        _ = self.session.changed() => {}
                        _ = self.alive.changed() => return,
                    }
                    pause = (pause * 2).min(PAUSE_MOST);
                }
            }
        }
    }

    /// Waits for a connection; `None` when there is nothing to follow for any more.
    async fn connected(&mut self) -> Option<i64> {
        loop {
            if *self.complete.borrow() {
                return None;
            }
            match *self.session.borrow_and_update() {
                SessionState::Connected { id } => return Some(id),
                SessionState::Disconnected { .. } => {
                    self.away_since.get_or_insert_with(Instant::now);
                }
                SessionState::Closed => return None,
            }
            tokio::select! {
                changed = self.session.changed() => changed.ok()?,
                _ = self.alive.changed() => return None,
                _ = self.complete.changed() => return None,
            }
        }
    }

    /// Reads the name whole, with new watches.
    async fn read_all(&mut self, session: i64) -> Result<(), tree::Error> {
        self.watched.clear();
        self.fired.clear();
        let ids = self.read_children().await?;
        let found = self.read_instances(ids).await?;
        let wishes: Vec<ModelVersion> = found
            .iter()
            .map(|(endpoint, _)| endpoint.version.clone())
            .chain(self.discovery.registered_versions())
            .collect::<HashSet<_>>()
            .into_iter()
            .collect();
        let wishes = self.read_wishes(wishes).await?;
        // What was read across a change of session proves nothing of what is missing.
        if !matches!(self.session.has_changed(), Ok(false)) {
            return Err(tree::Error::ConnectionLoss);
        }
        // Before the registrations: whether a version is wanted decides what is kept of it.
        for (version, wish) in wishes {
            self.discovery.wish(&version, wish);
        }
        let other_session = self.last_session.is_some_and(|last| last != session);
        let away = self.away_since.take().map_or(Duration::ZERO, |since| since.elapsed());
        let outage = other_session || away >= self.discovery.grace().outage;
        self.discovery.replace(found, outage, now());
        self.last_session = Some(session);
        self.publish();
        Ok(())
    }

    async fn follow_changes(&mut self, session: i64) -> Stopped {
        loop {
            let deadline = self.discovery.deadline().map(Instant::from_std);
            let due = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let first = tokio::select! {
                Some(fired) = self.fired.next() => fired,
                changed = self.session.changed() => {
                    let state = *self.session.borrow_and_update();
                    if changed.is_err() || state == SessionState::Closed {
                        return Stopped::ForGood;
                    }
                    if state.connected() == Some(session) {
                        continue;
                    }
                    return Stopped::ReadAgain;
                }
                () = due => { self.sweep(); continue }
                () = self.cell.sweep.notified() => { self.sweep(); continue }
                _ = self.alive.changed() => return Stopped::ForGood,
                _ = self.complete.changed() => return Stopped::ForGood,
            };
            let mut fired = HashSet::new();
            let mut next = Some(first);
            while let Some((watched, serial)) = next {
                if self.watched.get(&watched) == Some(&serial) {
                    fired.insert(watched);
                }
                next = self.fired.next().now_or_never().flatten();
            }
            match self.look_again(fired).await {
                Ok(Some(news)) => {
                    if self.apply(news) {
                        self.publish();
                    }
                }
                // The connection is most often the reason; the outer loop waits for it.
                Ok(None) | Err(_) => return Stopped::ReadAgain,
            }
        }
    }

    /// Reads what fired. `None` when the connection went meanwhile: then nothing can be concluded from what is missing.
    async fn look_again(&mut self, fired: HashSet<Watched>) -> Result<Option<News>, tree::Error> {
        let mut news = News::default();
        let mut instances: HashSet<String> = HashSet::new();
        let mut wishes: HashSet<ModelVersion> = HashSet::new();
        if fired.contains(&Watched::Children) {
            let ids = self.read_children().await?;
            let gone = |watched: &Watched| match watched {
                Watched::Instance(id) if ids.binary_search(id).is_err() => Some(id.clone()),
                _ => None,
            };
            news.gone = self.watched.keys().filter_map(gone).collect();
            for id in &news.gone {
                self.watched.remove(&Watched::Instance(id.clone()));
            }
            instances.extend(ids.into_iter().filter(|id| !self.watched.contains_key(&Watched::Instance(id.clone()))));
        }
        for watched in fired {
            match watched {
                Watched::Instance(id) if !news.gone.contains(&id) => {
                    instances.insert(id);
                }
                Watched::Wish(version) => {
                    wishes.insert(version);
                }
                Watched::Children | Watched::Instance(_) => {}
            }
        }
        let asked: Vec<String> = instances.into_iter().collect();
        news.found = self.read_instances(asked.clone()).await?;
        let unread = |version: &&ModelVersion| !self.watched.contains_key(&Watched::Wish((*version).clone()));
        wishes.extend(news.found.iter().map(|(endpoint, _)| &endpoint.version).filter(unread).cloned());
        news.wishes = self.read_wishes(wishes.into_iter().collect()).await?;
        news.gone.extend(asked.into_iter().filter(|id| !news.found.iter().any(|(endpoint, _)| *endpoint.id == **id)));
        Ok(matches!(self.session.has_changed(), Ok(false)).then_some(news))
    }

    /// True when something is different with it.
    fn apply(&mut self, news: News) -> bool {
        let mut changed = false;
        for (version, wish) in news.wishes {
            changed |= self.discovery.wish(&version, wish);
        }
        for id in news.gone {
            changed |= self.discovery.unregister(&id, now());
        }
        for (endpoint, mzxid) in news.found {
            changed |= self.discovery.register(endpoint, mzxid);
        }
        changed
    }

    /// The instances' ids, sorted, with a watch; none when there is no such name.
    async fn read_children(&mut self) -> Result<Vec<String>, tree::Error> {
        let path = self.shared.roots.service(self.cell.name.as_str());
        let (ids, watch) = self.shared.tree.children_and_watch(&path).await?;
        self.set(Watched::Children, watch);
        let mut ids = ids.unwrap_or_default();
        ids.sort();
        Ok(ids)
    }

    /// The registrations of these ids, with watches on all that exist, readable or not.
    async fn read_instances(&mut self, ids: Vec<String>) -> Result<Vec<(Endpoint, i64)>, tree::Error> {
        let reads = ids.into_iter().map(|id| {
            let tree = self.shared.tree.clone();
            let path = self.shared.roots.registration(self.cell.name.as_str(), &id);
            async move { (id, tree.get_and_watch(&path).await) }
        });
        let answers: Vec<_> = stream::iter(reads).buffer_unordered(PIPELINE).collect().await;
        let mut found = Vec::new();
        for (id, answer) in answers {
            // One that went in between comes back, if at all, as a child of the name; one that is locked never does.
            let Some((Some(node), watch)) = tree::unless_locked(answer.map(Some))? else {
                self.watched.remove(&Watched::Instance(id));
                continue;
            };
            if let Some(endpoint) = read::endpoint(&self.cell.name, &id, &node) {
                found.push((endpoint, node.stat.mzxid));
            }
            self.set(Watched::Instance(id), watch);
        }
        Ok(found)
    }

    /// What is wanted of these versions, with watches (on existence where there is nothing).
    async fn read_wishes(
        &mut self,
        versions: Vec<ModelVersion>,
    ) -> Result<Vec<(ModelVersion, Option<Wish>)>, tree::Error> {
        let reads = versions.into_iter().map(|version| {
            let tree = self.shared.tree.clone();
            let path = format!("{}/{version}", self.shared.roots.model(self.cell.name.as_str()));
            async move { (version, tree.get_and_watch(&path).await) }
        });
        let answers: Vec<_> = stream::iter(reads).buffer_unordered(PIPELINE).collect().await;
        let mut wishes = Vec::new();
        for (version, answer) in answers {
            let node = match tree::unless_locked(answer.map(Some))? {
                Some((node, watch)) => {
                    self.set(Watched::Wish(version.clone()), watch);
                    node
                }
                None => None,
            };
            let wish = read::wish(&self.cell.name, &version, node.as_ref());
            wishes.push((version, wish));
        }
        Ok(wishes)
    }

    fn set(&mut self, watched: Watched, watch: Watch) {
        self.serial += 1;
        let serial = self.serial;
        self.watched.insert(watched.clone(), serial);
        self.fired.push(watch.changed().map(move |()| (watched, serial)).boxed());
    }

    fn sweep(&mut self) {
        if self.discovery.expire(now()) {
            self.publish();
        }
    }

    fn publish(&self) {
        self.shared.publish(&self.cell, self.discovery.model(), false);
    }
}

/// The time as the pure part wants it; paused in tests that pause tokio's.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}
