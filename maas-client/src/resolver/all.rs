//! Follows all names by one recursive watch on the registry and one on the desired states.
//!
//! For programs that need everything (the master, a gateway, LIST). It reads all once, then what changed; it takes over
//! from the tasks of single names, which end. After a reconnection everything is read again.

use super::cells::Cells;
use super::read::{self, Place};
use super::{Cell, Shared};
use crate::discovery::{Discovery, Wish};
use crate::model::{ModelName, ModelVersion};
use crate::registry::Endpoint;
use crate::tree::{self, SessionState, TreeChange};
use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// How many reads are under way at once.
const PIPELINE: usize = 512;
/// Pause before a failed read is tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// What was read of one name.
#[derive(Default)]
struct Found {
    endpoints: Vec<(Endpoint, i64)>,
    wishes: Vec<(ModelVersion, Wish)>,
}

/// Follows everything until the last handle is dropped.
pub(super) async fn follow(shared: Arc<Shared>, mut alive: watch::Receiver<()>) {
    let follower = Follower {
        session: shared.tree.session(),
        shared,
        known: HashMap::new(),
        last_session: None,
        away_since: None,
    };
    tokio::select! {
        () = follower.run() => {}
        _ = alive.changed() => {}
    }
}

struct Follower {
    shared: Arc<Shared>,
    session: watch::Receiver<SessionState>,
    known: HashMap<ModelName, (Arc<Cell>, Discovery)>,
    last_session: Option<i64>,
    away_since: Option<Instant>,
}

impl Follower {
    async fn run(mut self) {
        let Some((mut services, mut models)) = self.watch_both().await else {
            return;
        };
        loop {
            let Some(session) = self.connected().await else {
                return;
            };
            if let Err(error) = self.read_all(session).await {
                tracing::warn!(error = %error, "registry can't be read; trying again");
                self.away_since.get_or_insert_with(Instant::now);
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            loop {
                let deadline = self.known.values().filter_map(|(_, discovery)| discovery.deadline()).min();
                let due = async {
                    match deadline {
                        Some(deadline) => tokio::time::sleep_until(Instant::from_std(deadline)).await,
                        None => std::future::pending().await,
                    }
                };
                let first = tokio::select! {
                    change = services.recv() => change,
                    change = models.recv() => change,
                    () = self.shared.sweep_all.notified() => { self.sweep(); continue }
                    () = due => { self.sweep(); continue }
                    changed = self.session.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        match *self.session.borrow_and_update() {
                            SessionState::Connected { id } if id == session => continue,
                            SessionState::Closed => return,
                            _ => break,
                        }
                    }
                };
                // Both channels end with the tree only.
                let Some(first) = first else {
                    return;
                };
                let mut changes = vec![first];
                while let Some(Some(change)) = services.recv().now_or_never() {
                    changes.push(change);
                }
                while let Some(Some(change)) = models.recv().now_or_never() {
                    changes.push(change);
                }
                if changes.contains(&TreeChange::Resync) || !self.apply(changes).await {
                    break;
                }
            }
        }
    }

    /// Sets both watches, before anything is read.
    async fn watch_both(
        &mut self,
    ) -> Option<(mpsc::UnboundedReceiver<TreeChange>, mpsc::UnboundedReceiver<TreeChange>)> {
        loop {
            self.connected().await?;
            let tree = &self.shared.tree;
            let services = tree.watch_tree(&self.shared.roots.services).await;
            let models = tree.watch_tree(&self.shared.roots.models()).await;
            match (services, models) {
                (Ok(services), Ok(models)) => return Some((services, models)),
                (Err(error), _) | (_, Err(error)) => {
                    tracing::warn!(error = %error, "registry can't be watched; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn connected(&mut self) -> Option<i64> {
        loop {
            match *self.session.borrow_and_update() {
                SessionState::Connected { id } => return Some(id),
                SessionState::Disconnected { .. } => {
                    self.away_since.get_or_insert_with(Instant::now);
                }
                SessionState::Closed => return None,
            }
            self.session.changed().await.ok()?;
        }
    }

    async fn read_all(&mut self, session: i64) -> Result<(), tree::Error> {
        let mut found = self.gather().await?;
        // What was read across a change of session proves nothing of what is missing.
        if !matches!(self.session.has_changed(), Ok(false)) {
            return Err(tree::Error::ConnectionLoss);
        }
        let other_session = self.last_session.is_some_and(|last| last != session);
        let away = self.away_since.take().map_or(Duration::ZERO, |since| since.elapsed());
        let outage = other_session || away >= self.shared.policy.grace.outage;
        self.last_session = Some(session);
        let first = !*self.shared.complete.borrow();
        if first {
            // Names that have tasks of their own are taken over.
            let followed = self.shared.cells.load_full();
            self.add_cells(followed.values().map(|cell| &cell.name));
        }
        self.add_cells(found.keys());
        let now = now();
        let known: BTreeSet<ModelName> = self.known.keys().cloned().collect();
        for name in known {
            let Found { endpoints, wishes } = found.remove(&name).unwrap_or_default();
            let Some((cell, discovery)) = self.known.get_mut(&name) else {
                continue;
            };
            // Wishes first: they decide what is kept.
            let wanted: BTreeSet<ModelVersion> = wishes.iter().map(|(version, _)| version.clone()).collect();
            let mut changed = discovery.keep_wishes(&wanted);
            for (version, wish) in wishes {
                changed |= discovery.wish(&version, Some(wish));
            }
            changed |= discovery.replace(endpoints, outage, now);
            if changed || first {
                self.shared.publish(cell, discovery.model(), true);
            }
        }
        self.shared.complete_flag.store(true, std::sync::atomic::Ordering::Release);
        self.shared.complete.send_replace(true);
        Ok(())
    }

    /// Makes the cells of many names in one step.
    fn add_cells<'a>(&mut self, names: impl Iterator<Item = &'a ModelName>) {
        let new: Vec<&ModelName> = names.filter(|name| !self.known.contains_key(*name)).collect();
        if new.is_empty() {
            return;
        }
        let _growing = self.shared.growing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut cells = Cells::clone(&self.shared.cells.load());
        for name in new {
            let cell = cells.get_or_insert_with(name, || Arc::new(Cell::new(name.clone()))).clone();
            let discovery = Discovery::new(name.clone(), self.shared.policy.grace.clone());
            self.known.insert(name.clone(), (cell, discovery));
        }
        self.shared.cells.store(Arc::new(cells));
    }

    /// Reads the registry and the desired states whole.
    async fn gather(&self) -> Result<BTreeMap<ModelName, Found>, tree::Error> {
        let tree = &self.shared.tree;
        let roots = &self.shared.roots;
        let mut paths = Vec::new();
        for root in [roots.services.clone(), roots.models()] {
            let names = tree.children(&root).await?.unwrap_or_default();
            let lists = names.into_iter().map(|name| {
                let path = format!("{root}/{name}");
                async move {
                    tree::unless_locked(tree.children(&path).await).map(|children| (path, children.unwrap_or_default()))
                }
            });
            let mut lists = stream::iter(lists).buffer_unordered(PIPELINE);
            while let Some(list) = lists.next().await {
                let (parent, children) = list?;
                paths.extend(children.into_iter().map(|child| format!("{parent}/{child}")));
            }
        }
        let places: Vec<Place> = paths.iter().filter_map(|path| read::place(roots, path)).collect();
        let mut found: BTreeMap<ModelName, Found> = BTreeMap::new();
        for (place, node) in self.read_places(places).await? {
            match (place, node) {
                (Place::Registration(name, id), Some(node)) => {
                    if let Some(endpoint) = read::endpoint(&name, &id, &node) {
                        found.entry(name).or_default().endpoints.push((endpoint, node.stat.mzxid));
                    }
                }
                (Place::Desired(name, version), Some(node)) => {
                    if let Some(wish) = read::wish(&name, &version, Some(&node)) {
                        found.entry(name).or_default().wishes.push((version, wish));
                    }
                }
                (_, None) => {}
            }
        }
        Ok(found)
    }

    async fn read_places(
        &self,
        places: impl IntoIterator<Item = Place>,
    ) -> Result<Vec<(Place, Option<tree::Node>)>, tree::Error> {
        let roots = &self.shared.roots;
        let reads = places.into_iter().map(|place| {
            let path = match &place {
                Place::Registration(name, id) => roots.registration(name.as_str(), id),
                Place::Desired(name, version) => format!("{}/{version}", roots.model(name.as_str())),
            };
            async move { tree::unless_locked(self.shared.tree.get(&path).await).map(|node| (place, node)) }
        });
        let answers: Vec<_> = stream::iter(reads).buffer_unordered(PIPELINE).collect().await;
        answers.into_iter().collect()
    }

    /// Reads again what changed, and that only. False when the connection went meanwhile: then nothing can be
    /// concluded from what is missing, and everything is to be read again.
    async fn apply(&mut self, changes: Vec<TreeChange>) -> bool {
        let places: HashSet<Place> = changes
            .iter()
            .filter_map(|change| match change {
                TreeChange::Path(path) => read::place(&self.shared.roots, path),
                TreeChange::Resync => None,
            })
            .collect();
        if places.is_empty() {
            return true;
        }
        let Ok(mut read) = self.read_places(places).await else {
            return false;
        };
        if !matches!(self.session.has_changed(), Ok(false)) {
            return false;
        }
        // Wishes first: a registration of a new version is published with its call settings.
        read.sort_by_key(|(place, _)| matches!(place, Place::Registration(..)));
        let names: BTreeSet<ModelName> = read
            .iter()
            .map(|(place, _)| match place {
                Place::Registration(name, _) | Place::Desired(name, _) => name.clone(),
            })
            .collect();
        self.add_cells(names.iter());
        let mut changed = BTreeSet::new();
        for (place, node) in read {
            let (Place::Registration(name, _) | Place::Desired(name, _)) = &place;
            let Some((_, discovery)) = self.known.get_mut(name) else {
                continue;
            };
            let different = match &place {
                Place::Desired(_, version) => discovery.wish(version, read::wish(name, version, node.as_ref())),
                Place::Registration(_, id) => {
                    match node.as_ref().and_then(|node| Some((read::endpoint(name, id, node)?, node.stat.mzxid))) {
                        Some((endpoint, mzxid)) => discovery.register(endpoint, mzxid),
                        None => discovery.unregister(id, now()),
                    }
                }
            };
            if different {
                changed.insert(name.clone());
            }
        }
        self.publish(&changed);
        true
    }

    fn sweep(&mut self) {
        let now = now();
        let swept =
            self.known.iter_mut().filter_map(|(name, (_, discovery))| discovery.expire(now).then(|| name.clone()));
        let swept: BTreeSet<ModelName> = swept.collect();
        self.publish(&swept);
    }

    fn publish(&self, names: &BTreeSet<ModelName>) {
        for (cell, discovery) in names.iter().filter_map(|name| self.known.get(name)) {
            self.shared.publish(cell, discovery.model(), true);
        }
    }
}

/// The time as the pure part wants it; paused in tests that pause tokio's.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}
