//! What callers count: calls by model and outcome, their time, and what the cache was good for.
//!
//! Plain numbers: whoever has a metrics endpoint renders them (`maas_calls_total{name,version,outcome}`,
//! `maas_call_seconds`, `maas_cache_total{result}`).

use super::Outcome;
use crate::model::{ModelName, ModelVersion};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the time histogram, s. A last bucket without bound follows.
pub const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Label pairs beyond this are counted together, under no name: names come from outside.
const LABELS_MOST: usize = 10_000;

/// The labels of a count of calls. No version: none could be resolved.
pub type Labels = (Option<ModelName>, Option<ModelVersion>);

/// All counts at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// Calls by model, version and outcome.
    pub calls: BTreeMap<(Option<ModelName>, Option<ModelVersion>, Outcome), u64>,
    /// Calls that took at most the bound of [`SECONDS`] at the same place, not cumulated; the last one took longer.
    pub seconds: [u64; SECONDS.len() + 1],
    /// Time of all calls together, s.
    pub seconds_sum: f64,
    /// Calls answered from the cache.
    pub cache_hits: u64,
    /// Calls that the cache had no answer for.
    pub cache_misses: u64,
}

type Counts = [u64; Outcome::ALL.len()];

/// Counts of calls. Those that are known are counted up without copying a label.
#[derive(Debug, Default)]
struct Calls {
    by_name: HashMap<ModelName, OfName, foldhash::fast::RandomState>,
    /// Pairs of labels in it.
    labels: usize,
    /// What there is no room for.
    others: Counts,
}

#[derive(Debug, Default)]
struct OfName {
    unresolved: Option<Counts>,
    versions: HashMap<ModelVersion, Counts, foldhash::fast::RandomState>,
}

impl OfName {
    fn known(&mut self, version: Option<&ModelVersion>) -> Option<&mut Counts> {
        match version {
            Some(version) => self.versions.get_mut(version),
            None => self.unresolved.as_mut(),
        }
    }
}

impl Calls {
    fn counts(&mut self, name: &ModelName, version: Option<&ModelVersion>) -> &mut Counts {
        if self.by_name.get_mut(name).is_none_or(|named| named.known(version).is_none()) {
            if self.labels >= LABELS_MOST {
                return &mut self.others;
            }
            self.labels += 1;
            let named = self.by_name.entry(name.clone()).or_default();
            match version {
                Some(version) => drop(named.versions.insert(version.clone(), Counts::default())),
                None => named.unresolved = Some(Counts::default()),
            }
        }
        self.by_name.get_mut(name).and_then(|named| named.known(version)).unwrap_or(&mut self.others)
    }

    fn all(&self) -> impl Iterator<Item = (Labels, &Counts)> {
        let named = self.by_name.iter().flat_map(|(name, named)| {
            let unresolved = named.unresolved.iter().map(|counts| (None, counts));
            let versions = named.versions.iter().map(|(version, counts)| (Some(version.clone()), counts));
            unresolved.chain(versions).map(|(version, counts)| ((Some(name.clone()), version), counts))
        });
        named.chain([((None, None), &self.others)])
    }
}

/// The counters of one caller.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    calls: Mutex<Calls>,
    seconds: [AtomicU64; SECONDS.len() + 1],
    micros: AtomicU64,
    cache_hits: AtomicU64,
    cache_misses: AtomicU64,
}

impl Metrics {
    pub(super) fn call(&self, name: &ModelName, version: Option<&ModelVersion>, outcome: Outcome, took: Duration) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).counts(name, version)[outcome as usize] += 1;
        let bucket = SECONDS.partition_point(|bound| *bound < took.as_secs_f64());
        self.seconds[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(0), Ordering::Relaxed);
    }

    #[cfg(feature = "cache")]
    pub(super) fn cache(&self, hit: bool) {
        let counter = if hit { &self.cache_hits } else { &self.cache_misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = calls.all().flat_map(|((name, version), counts)| {
            let counted = Outcome::ALL.into_iter().filter(|outcome| counts[*outcome as usize] > 0);
            counted.map(move |outcome| ((name.clone(), version.clone(), outcome), counts[outcome as usize]))
        });
        Snapshot {
            calls: counted.collect(),
            seconds: std::array::from_fn(|index| self.seconds[index].load(Ordering::Relaxed)),
            seconds_sum: self.micros.load(Ordering::Relaxed) as f64 / 1e6,
            cache_hits: self.cache_hits.load(Ordering::Relaxed),
            cache_misses: self.cache_misses.load(Ordering::Relaxed),
        }
    }
}
