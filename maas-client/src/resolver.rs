//! From a model's name to one of its endpoints: a cheap-to-clone handle over watched snapshots.
//!
//! After the first look-up of a name a look-up does no I/O, takes no lock and allocates nothing: two atomic loads, one
//! hash, one draw. A task per name follows the registry (`subscription`); [`Resolver::all`] follows all names by one
//! recursive watch instead (`all`). Neighbours: [`crate::discovery`] decides what is in use, [`crate::balance`] picks,
//! [`crate::call`] calls. What it leaves to others: trying again.

mod all;
mod cells;
mod read;
mod subscription;
#[cfg(test)]
mod tests;

use crate::balance::{self, Millis, Pick, Signal, Slot};
use crate::config::Roots;
use crate::discovery::{Grace, Model, Version};
use crate::model::{ModelName, ModelVersion};
use crate::tree::SharedTree;
use arc_swap::ArcSwap;
use cells::Cells;
use rand::RngExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// Knobs of resolving.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How long the first look-up of a name waits for its first snapshot. Default 5 s.
    pub first_look: Duration,
    /// How many names are followed at most; a name from outside costs memory and watches. Default 100,000.
    pub max_names: usize,
    /// When endpoints stay in use without their registrations.
    pub grace: Grace,
    /// When endpoints are ejected and probed.
    pub balance: balance::Policy,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            first_look: Duration::from_secs(5),
            max_names: 100_000,
            grace: Grace::default(),
            balance: balance::Policy::default(),
        }
    }
}

/// Why there is no endpoint to give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// ZooKeeper has not been heard of since the name was first asked for: nothing is known of it.
    #[error("not_synced: nothing heard of {name} from ZooKeeper in {waited:?}; is it reachable?")]
    NotSynced {
        /// The name.
        name: String,
        /// How long was waited.
        waited: Duration,
    },
    /// Nothing is registered under the name.
    #[error("no endpoint of {name} is registered; see maas_deploy list")]
    NoModel {
        /// The name.
        name: ModelName,
    },
    /// The name has other versions only.
    #[error("{name} has no version {version}; it has {}", list(.known))]
    NoVersion {
        /// The name.
        name: ModelName,
        /// The version asked for.
        version: ModelVersion,
        /// Those with an endpoint, ascending.
        known: Vec<ModelVersion>,
    },
    /// It is wanted, and none of its instances is ready.
    #[error("{name} {version}: {wanted} wanted, none ready; see maas_deploy status")]
    NoneReady {
        /// The name.
        name: ModelName,
        /// The version.
        version: ModelVersion,
        /// How many are wanted.
        wanted: u32,
    },
    /// No instance of this id is registered.
    #[error("{model} {version} has no instance {id}; see maas_deploy status")]
    NoInstance {
        /// The name.
        model: ModelName,
        /// The version.
        version: ModelVersion,
        /// The id asked for.
        id: String,
    },
    /// Too many names are followed already.
    #[error("{limit} names are followed already; raise max_names")]
    TooManyNames {
        /// The limit.
        limit: usize,
    },
}

fn list(versions: &[ModelVersion]) -> String {
    versions.iter().map(ModelVersion::as_str).collect::<Vec<_>>().join(", ")
}

/// One endpoint, with its version's settings. Valid for as long as it is held.
#[derive(Debug, Clone)]
pub struct Resolved {
    model: Arc<Model>,
    version: usize,
    pick: Pick,
}

impl Resolved {
    /// The version it belongs to, with its call settings.
    pub fn version(&self) -> &Arc<Version> {
        &self.model.versions()[self.version]
    }
    /// The endpoint with its health.
    pub fn slot(&self) -> &Arc<Slot> {
        &self.version().slots()[self.pick.index]
    }
    /// Base url as registered.
    pub fn url(&self) -> &str {
        &self.slot().endpoint().url
    }
    /// The instance.
    pub fn instance(&self) -> &Arc<str> {
        &self.slot().endpoint().id
    }
}

/// What is known of one name, as its readers see it.
#[derive(Debug)]
#[repr(C, align(64))]
struct Cell {
    // What a look-up reads stands first, in one cache line.
    model: ArcSwap<Model>,
    /// True once the model was read, or is known not to exist.
    synced: AtomicBool,
    /// True while an endpoint may be ejected or gone. While it is false no endpoint is looked at to choose one.
    troubled: AtomicBool,
    name: ModelName,
    synced_signal: watch::Sender<bool>,
    asked: Instant,
    /// True once the recursive watch has taken it over from its own task.
    taken_over: Mutex<bool>,
    /// Something to sweep: an endpoint used on trust refused.
    sweep: Notify,
}

impl Cell {
    fn new(name: ModelName) -> Cell {
        Cell {
            model: ArcSwap::from_pointee(Model::empty(name.clone())),
            synced: AtomicBool::new(false),
            troubled: AtomicBool::new(false),
            name,
            synced_signal: watch::channel(false).0,
            asked: Instant::now(),
            taken_over: Mutex::new(false),
            sweep: Notify::new(),
        }
    }

    fn mark_synced(&self) {
        self.synced.store(true, Ordering::Release);
        self.synced_signal.send_replace(true);
    }
}

/// What handles and tasks share. Tasks hold this and not [`Inner`], so that they end with the last handle.
struct Shared {
    tree: SharedTree,
    roots: Roots,
    policy: Policy,
    started: Instant,
    cells: ArcSwap<Cells>,
    /// Held while `cells` is replaced; never on a look-up.
    growing: Mutex<()>,
    generation: watch::Sender<u64>,
    /// True once the recursive watch has read everything: a name without a cell does not exist.
    complete: watch::Sender<bool>,
    complete_flag: AtomicBool,
    sweep_all: Notify,
}

impl Shared {
    fn millis(&self) -> Millis {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX / 4)
    }

    /// The cell of a name; the closure says what to do when it was made just now.
    fn cell_or_new(&self, name: &ModelName, limit: usize, made: impl FnOnce(&Arc<Cell>)) -> Result<Arc<Cell>, Error> {
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let cells = self.cells.load();
        if let Some(cell) = cells.get(name) {
            return Ok(cell.clone());
        }
        if cells.len() >= limit {
            return Err(Error::TooManyNames { limit });
        }
        let cell = Arc::new(Cell::new(name.clone()));
        let mut grown = Cells::clone(&cells);
        grown.insert(name, cell.clone());
        self.cells.store(Arc::new(grown));
        made(&cell);
        Ok(cell)
    }

    /// Picks with a look at each endpoint's health; notes when all are well again.
    fn pick_in_trouble(&self, cell: &Cell, model: &Model, place: usize, tried: &[Arc<Slot>]) -> Option<Pick> {
        let slots = model.versions()[place].slots();
        let pick = balance::pick(slots, tried, &self.policy.balance, &mut rand::rng(), || self.millis());
        let all_well = || model.versions().iter().flat_map(|version| version.slots()).all(|slot| slot.is_healthy());
        if cell.troubled.load(Ordering::SeqCst) && all_well() {
            cell.troubled.store(false, Ordering::SeqCst);
            // One may have been ejected between the look and the note.
            if !all_well() {
                cell.troubled.store(true, Ordering::SeqCst);
            }
        }
        pick
    }

    /// Makes a model visible. What a name's own task says no longer counts once the recursive watch has taken over.
    fn publish(&self, cell: &Cell, model: Model, by_recursive_watch: bool) {
        {
            let mut taken_over = cell.taken_over.lock().unwrap_or_else(PoisonError::into_inner);
            if *taken_over && !by_recursive_watch {
                return;
            }
            *taken_over |= by_recursive_watch;
            cell.model.store(Arc::new(model));
        }
        cell.mark_synced();
        self.generation.send_modify(|generation| *generation += 1);
    }
}

struct Inner {
    shared: Arc<Shared>,
    /// Dropped with the last handle: that ends the tasks.
    alive: watch::Sender<()>,
    all_started: AtomicBool,
}

/// Finds endpoints. Clones share everything; the last one dropped ends all watching.
#[derive(Clone)]
pub struct Resolver {
    inner: Arc<Inner>,
}

impl Resolver {
    /// A resolver that follows nothing yet. Look-ups must be made within a tokio runtime, which runs its tasks.
    pub fn new(tree: SharedTree, roots: Roots, policy: Policy) -> Resolver {
        let shared = Arc::new(Shared {
            tree,
            roots,
            policy,
            started: Instant::now(),
            cells: ArcSwap::default(),
            growing: Mutex::new(()),
            generation: watch::channel(0).0,
            complete: watch::channel(false).0,
            complete_flag: AtomicBool::new(false),
            sweep_all: Notify::new(),
        });
        Resolver { inner: Arc::new(Inner { shared, alive: watch::channel(()).0, all_started: AtomicBool::new(false) }) }
    }

    /// One endpoint of the version, or of the current version, at random. The first look-up of a name waits for its
    /// first snapshot; later ones return at once.
    pub async fn resolve(&self, name: &ModelName, version: Option<&ModelVersion>) -> Result<Resolved, Error> {
        self.resolve_untried(name, version, &[]).await
    }

    /// As [`Resolver::resolve`], leaving out endpoints that were tried already.
    pub async fn resolve_untried(
        &self,
        name: &ModelName,
        version: Option<&ModelVersion>,
        tried: &[Arc<Slot>],
    ) -> Result<Resolved, Error> {
        match self.try_resolve(name, version, tried) {
            Some(answer) => answer,
            None => {
                self.first_look(name).await?;
                self.try_resolve(name, version, tried).unwrap_or_else(|| Err(self.not_synced(name)))
            }
        }
    }

    /// As [`Resolver::resolve`] without waiting: `None` when nothing has been heard of the name yet.
    pub fn try_resolve(
        &self,
        name: &ModelName,
        version: Option<&ModelVersion>,
        tried: &[Arc<Slot>],
    ) -> Option<Result<Resolved, Error>> {
        let shared = &*self.inner.shared;
        self.look(name, |cell, model| {
            let picked = model.find(version).and_then(|(place, slots)| {
                let pick = if tried.is_empty() && slots > 0 && !cell.troubled.load(Ordering::Relaxed) {
                    Pick { index: rand::rng().random_range(0..slots), probe: false }
                } else {
                    shared.pick_in_trouble(cell, model, place, tried)?
                };
                Some(Resolved { model: model.clone(), version: place, pick })
            });
            picked.ok_or_else(|| why_none(model, version))
        })
    }

    /// The one way to a snapshot: no I/O, no lock. `None` when nothing has been heard of the name yet.
    fn look<T>(
        &self,
        name: &ModelName,
        read: impl FnOnce(&Cell, &Arc<Model>) -> Result<T, Error>,
    ) -> Option<Result<T, Error>> {
        let shared = &*self.inner.shared;
        let cells = shared.cells.load();
        let Some(cell) = cells.get(name) else {
            let complete = shared.complete_flag.load(Ordering::Acquire);
            return complete.then(|| Err(Error::NoModel { name: name.clone() }));
        };
        let synced = cell.synced.load(Ordering::Acquire);
        synced.then(|| read(cell, &cell.model.load()))
    }

    /// The version, or the current one, with its settings; nothing is picked. Waits as [`Resolver::resolve`] does.
    pub async fn version(&self, name: &ModelName, version: Option<&ModelVersion>) -> Result<Arc<Version>, Error> {
        if let Some(found) = self.try_version(name, version) {
            return found;
        }
        self.first_look(name).await?;
        self.try_version(name, version).unwrap_or_else(|| Err(self.not_synced(name)))
    }

    /// As [`Resolver::version`] without waiting: `None` when nothing has been heard of the name yet.
    pub fn try_version(&self, name: &ModelName, version: Option<&ModelVersion>) -> Option<Result<Arc<Version>, Error>> {
        self.look(name, |_, model| {
            let found = model.find(version).map(|(place, _)| model.versions()[place].clone());
            found.ok_or_else(|| why_none(model, version))
        })
    }

    /// One instance of a version, unless it is among those tried. Waits as [`Resolver::resolve`] does.
    pub async fn instance(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        id: &str,
        tried: &[Arc<Slot>],
    ) -> Result<Resolved, Error> {
        self.first_look(name).await?;
        let untried =
            |slot: &Arc<Slot>| &*slot.endpoint().id == id && !tried.iter().any(|other| Arc::ptr_eq(slot, other));
        let found = self.look(name, |_, model| {
            let place = model.find(Some(version)).map(|(place, _)| place);
            let found = place.and_then(|place| {
                let index = model.versions()[place].slots().iter().position(untried)?;
                Some(Resolved { model: model.clone(), version: place, pick: Pick { index, probe: false } })
            });
            found.ok_or_else(|| Error::NoInstance { model: name.clone(), version: version.clone(), id: id.into() })
        });
        found.unwrap_or_else(|| Err(self.not_synced(name)))
    }

    /// The endpoint of a version at this base url, whatever its health, unless it is gone. Does not wait.
    pub fn try_at(&self, version: &Version, url: &str) -> Option<Resolved> {
        let at = |slot: &Arc<Slot>| &*slot.endpoint().url == url && !slot.is_gone();
        let found = self.look(version.name(), |_, model| {
            Ok(model.find(Some(version.version())).and_then(|(place, _)| {
                let index = model.versions()[place].slots().iter().position(at)?;
                Some(Resolved { model: model.clone(), version: place, pick: Pick { index, probe: false } })
            }))
        });
        found.and_then(Result::ok).flatten()
    }

    /// All versions and endpoints of a name. Waits as [`Resolver::resolve`] does; an unknown name has none.
    pub async fn model(&self, name: &ModelName) -> Result<Arc<Model>, Error> {
        self.first_look(name).await?;
        let cells = self.inner.shared.cells.load();
        Ok(cells.get(name).map_or_else(|| Arc::new(Model::empty(name.clone())), |cell| cell.model.load_full()))
    }

    /// Every name with something registered or wanted, sorted. The first call starts to follow the whole registry by
    /// one recursive watch and waits for it to be read; from then on look-ups of any name do no I/O.
    pub async fn all(&self) -> Result<Vec<Arc<Model>>, Error> {
        let shared = &self.inner.shared;
        let mut complete = shared.complete.subscribe();
        if !self.inner.all_started.swap(true, Ordering::AcqRel) {
            tokio::spawn(all::follow(shared.clone(), self.inner.alive.subscribe()));
        }
        let waited = shared.policy.first_look;
        if !matches!(tokio::time::timeout(waited, complete.wait_for(|complete| *complete)).await, Ok(Ok(_))) {
            return Err(Error::NotSynced { name: "the registry".into(), waited });
        }
        let cells = shared.cells.load();
        let mut models: Vec<Arc<Model>> = cells.values().map(|cell| cell.model.load_full()).collect();
        models.retain(|model| !model.versions().is_empty());
        models.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(models)
    }

    /// Counts up with every change of what is known.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.shared.generation.subscribe()
    }

    /// Says how a call on an endpoint went: it may be ejected, probed back, or leave.
    pub fn report(&self, resolved: &Resolved, signal: Signal) {
        let shared = &self.inner.shared;
        let slot = resolved.slot();
        let gone = slot.report(signal, resolved.pick.probe, shared.millis(), &shared.policy.balance);
        if signal == Signal::Answered {
            return;
        }
        let cells = shared.cells.load();
        let cell = cells.get(&slot.endpoint().name);
        if let Some(cell) = cell.filter(|_| !slot.is_healthy()) {
            cell.troubled.store(true, Ordering::SeqCst);
        }
        if let Some(cell) = cell.filter(|_| gone) {
            cell.sweep.notify_one();
            shared.sweep_all.notify_one();
        }
    }

    /// Subscribes to the name if need be and waits for its first snapshot.
    async fn first_look(&self, name: &ModelName) -> Result<(), Error> {
        let shared = &self.inner.shared;
        let known = shared.cells.load().get(name).cloned();
        let cell = match known {
            Some(cell) => cell,
            None if shared.complete_flag.load(Ordering::Acquire) => return Ok(()),
            None => shared.cell_or_new(name, shared.policy.max_names, |cell| {
                tokio::spawn(subscription::follow(shared.clone(), cell.clone(), self.inner.alive.subscribe()));
            })?,
        };
        if cell.synced.load(Ordering::Acquire) {
            return Ok(());
        }
        // Counted from the first look-up: with ZooKeeper away later ones fail at once instead of piling up.
        let deadline = cell.asked + shared.policy.first_look;
        let mut synced = cell.synced_signal.subscribe();
        match tokio::time::timeout_at(deadline, synced.wait_for(|synced| *synced)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(self.not_synced(name)),
        }
    }

    fn not_synced(&self, name: &ModelName) -> Error {
        Error::NotSynced { name: name.to_string(), waited: self.inner.shared.policy.first_look }
    }
}

/// Why nothing could be picked.
fn why_none(model: &Model, version: Option<&ModelVersion>) -> Error {
    let name = model.name().clone();
    let wanted_of = |version: &Version| version.wish().map_or(0, |wish| wish.count);
    let known: Vec<ModelVersion> = model
        .versions()
        .iter()
        .filter(|version| !version.slots().is_empty())
        .map(|version| version.version().clone())
        .collect();
    let wanted = match version {
        Some(version) => model.version(version),
        None => model.versions().iter().rev().find(|version| wanted_of(version) > 0),
    };
    match (wanted, version) {
        (Some(found), _) if wanted_of(found) > 0 || !found.slots().is_empty() => {
            Error::NoneReady { name, version: found.version().clone(), wanted: wanted_of(found) }
        }
        (_, Some(version)) if !known.is_empty() => Error::NoVersion { name, version: version.clone(), known },
        _ => Error::NoModel { name },
    }
}
