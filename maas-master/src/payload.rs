//! Payloads on this machine: fetched from the model store by digest, verified, kept in a cache; trees of Metron's
//! client imported first. Works beside the passes: a slow import holds nobody up.

pub mod store;

use crate::desired::Version;
use crate::observed::{Payload, Purge};
use maas_client::model::ModelId;
use maas_client::reason::Reason;
use maas_client::state::CallSettings;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Which payload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Where it lies in the store.
    pub path: String,
    /// Its digest; `None` when the tree there has no manifest that anyone named.
    pub digest: Option<String>,
}

/// A payload that is here.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// `manifest.json` beside `files/`.
    pub directory: PathBuf,
    /// Its digest.
    pub digest: String,
    /// How it is to be called.
    pub call: CallSettings,
    /// How long its instances may take to drain and stop, s.
    pub stop_bound_s: u64,
}

/// Where payloads come from: the model store behind a cache, or a test's own. Blocking; called on a blocking thread.
pub trait Source: Send + Sync + 'static {
    /// Makes the payload available on this machine. Called again it finds its own work done.
    fn fetch(&self, key: &Key) -> Result<Fetched, Reason>;

    /// Takes the payload out of the store (not out of the cache) if it is still that payload and nothing else goes with
    /// it; not found is done. Answers why when it was kept.
    fn purge(&self, key: &Key) -> Result<Option<String>, Reason>;

    /// Whether what was fetched to this directory is still there.
    fn is_here(&self, directory: &Path) -> bool;

    /// Clears this machine's copies of payloads whose digest is not among `used`, except young ones.
    fn trim(&self, used: &BTreeSet<String>);
}

/// Which payload a version needs.
pub fn key_of(version: &Version) -> Key {
    Key { path: version.desired.path.clone(), digest: version.desired.digest.clone() }
}

struct Entry {
    key: Key,
    payload: Payload,
}

/// Runs fetches and remembers their outcome per version. Cheap to clone.
#[derive(Clone)]
pub struct Payloads {
    source: Arc<dyn Source>,
    entries: Arc<Mutex<BTreeMap<ModelId, Entry>>>,
    purges: Arc<Mutex<BTreeMap<ModelId, (Key, Purge)>>>,
    changed: Arc<watch::Sender<u64>>,
}

impl Payloads {
    /// Nothing is known yet.
    pub fn new(source: Arc<dyn Source>) -> Payloads {
        Payloads { source, entries: Arc::default(), purges: Arc::default(), changed: Arc::new(watch::channel(0).0) }
    }

    /// Starts fetching unless that is being done or was done for this very key.
    pub fn ensure(&self, model: &ModelId, key: &Key, clock: crate::clock::Clock, retry: Duration) {
        {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(entry) = entries.get(model)
                && entry.key == *key
                && matches!(entry.payload, Payload::Busy { .. } | Payload::Present { .. })
            {
                return;
            }
            let payload = Payload::Busy { importing: key.digest.is_none() };
            entries.insert(model.clone(), Entry { key: key.clone(), payload });
        }
        let this = self.clone();
        let (model, key) = (model.clone(), key.clone());
        tokio::task::spawn_blocking(move || {
            let payload = match this.source.fetch(&key) {
                Ok(fetched) => Payload::Present {
                    directory: fetched.directory,
                    digest: fetched.digest,
                    call: fetched.call,
                    stop_bound_s: fetched.stop_bound_s,
                },
                Err(reason) => {
                    tracing::warn!(%model, path = key.path, reason = reason.text, "payload can't be used");
                    Payload::Failed { reason, retry_at: clock.moment().plus(retry) }
                }
            };
            let mut entries = this.entries.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(entry) = entries.get_mut(&model).filter(|entry| entry.key == key) {
                entry.payload = payload;
            }
            drop(entries);
            this.changed.send_modify(|count| *count = count.wrapping_add(1));
        });
    }

    /// What is known of this version's payload, when it was asked for under this key.
    pub fn get(&self, model: &ModelId, key: &Key) -> Option<Payload> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(model)?;
        // An import that was recorded is the same payload under its new name.
        let same = entry.key == *key
            || matches!(&entry.payload, Payload::Present { digest, .. }
                if entry.key.path == key.path && key.digest.as_ref() == Some(digest));
        same.then(|| entry.payload.clone())
    }

    /// Whether a payload that is present is so in truth. When somebody cleared the cache it is forgotten, so that it is
    /// fetched again.
    pub fn still_here(&self, model: &ModelId, directory: &Path) -> bool {
        let here = self.source.is_here(directory);
        if !here {
            self.entries.lock().unwrap_or_else(PoisonError::into_inner).remove(model);
        }
        here
    }

    /// Clears copies of payloads that nothing uses. Blocking. Not while one is being fetched: it might be that one.
    pub fn trim(&self, used: &BTreeSet<String>) {
        {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            if entries.values().any(|entry| matches!(entry.payload, Payload::Busy { .. })) {
                return;
            }
            entries.retain(|_, entry| match &entry.payload {
                Payload::Present { digest, .. } => used.contains(digest),
                Payload::Busy { .. } | Payload::Failed { .. } => true,
            });
        }
        self.source.trim(used);
    }

    /// Starts taking a payload out of the store unless that is being done.
    pub fn purge(&self, model: &ModelId, key: &Key, clock: crate::clock::Clock, retry: Duration) {
        {
            let mut purges = self.purges.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(purges.get(model), Some((_, Purge::Busy))) {
                return;
            }
            purges.insert(model.clone(), (key.clone(), Purge::Busy));
        }
        let this = self.clone();
        let (model, key) = (model.clone(), key.clone());
        tokio::task::spawn_blocking(move || {
            let purge = match this.source.purge(&key) {
                Ok(kept) => Purge::Done { kept },
                Err(reason) => {
                    tracing::warn!(%model, path = key.path, reason = reason.text, "payload can't be purged");
                    Purge::Failed { reason, retry_at: clock.moment().plus(retry) }
                }
            };
            this.purges.lock().unwrap_or_else(PoisonError::into_inner).insert(model, (key, purge));
            this.changed.send_modify(|count| *count = count.wrapping_add(1));
        });
    }

    /// Where the purge of this payload stands, when one was started.
    pub fn purge_of(&self, model: &ModelId, key: &Key) -> Option<Purge> {
        let purges = self.purges.lock().unwrap_or_else(PoisonError::into_inner);
        purges.get(model).filter(|(of, purge)| of == key || *purge == Purge::Busy).map(|(_, purge)| purge.clone())
    }

    /// Forgets what is known of a version, after its payload was taken away.
    pub fn forget(&self, model: &ModelId) {
        self.purges.lock().unwrap_or_else(PoisonError::into_inner).remove(model);
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).remove(model);
    }

    /// Forgets every failure, so that a new term tries at once.
    pub fn forget_failures(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| !matches!(entry.payload, Payload::Failed { .. }));
        // What another leader did meanwhile is not known: only what still goes on is.
        self.purges.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, (_, purge)| *purge == Purge::Busy);
    }

    /// Changes whenever a fetch ended; carries no information.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
