//! The one cache of models' answers, for callers that score the same input again and again.
//!
//! The key holds what the answer depends on: name, version, content (digest, or the registration's transaction where no
//! digest is known), function and canonical arguments. Failures are never put in: there is no way to.

use crate::discovery::Identity;
use crate::model::{ModelName, ModelVersion};
use bytes::Bytes;
use moka::sync::Cache as Moka;
use std::sync::Arc;
use std::time::Duration;

/// Knobs of the cache.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How long an answer is good. Default 10 min; 0 turns the cache off (models that are stateful, or retrained under
    /// one version).
    pub ttl: Duration,
    /// How many answers are kept. Default 100,000; 0 turns the cache off.
    pub size: u64,
    /// The largest answer that is kept, bytes. Default 16 KiB.
    pub answer_most: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Policy { ttl: Duration::from_secs(600), size: 100_000, answer_most: 16 << 10 }
    }
}

impl Policy {
    /// No cache.
    pub fn off() -> Policy {
        Policy { ttl: Duration::ZERO, ..Policy::default() }
    }
}

/// What an answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The model.
    pub name: ModelName,
    /// Its version.
    pub version: ModelVersion,
    /// What stands for its content.
    pub identity: Identity,
    /// The function as the caller named it.
    pub function: String,
    /// The arguments in their canonical form.
    pub arguments: String,
}

/// An answer as it is kept.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The body as it came.
    pub body: Bytes,
    /// The same, read.
    pub value: Arc<serde_json::Map<String, serde_json::Value>>,
    /// Who answered.
    pub instance: Arc<str>,
    /// Where.
    pub url: Arc<str>,
    /// With which status.
    pub status: u16,
}

/// Keyed anew in each process, as the arguments may be anybody's.
type Hashing = foldhash::quality::RandomState;

/// The cache. Clones share it.
#[derive(Clone)]
pub struct Cache {
    entries: Option<Moka<Key, Entry, Hashing>>,
    answer_most: usize,
}

impl Cache {
    /// An empty one.
    pub fn new(policy: &Policy) -> Cache {
        let on = !policy.ttl.is_zero() && policy.size > 0;
        let build =
            || Moka::builder().max_capacity(policy.size).time_to_live(policy.ttl).build_with_hasher(Hashing::default());
        Cache { entries: on.then(build), answer_most: policy.answer_most }
    }

    /// False when nothing is ever kept.
    pub fn is_on(&self) -> bool {
        self.entries.is_some()
    }

    /// The answer, if it is known.
    pub fn get(&self, key: &Key) -> Option<Entry> {
        self.entries.as_ref()?.get(key)
    }

    /// Keeps a good answer, unless it is too large.
    pub fn put(&self, key: Key, entry: Entry) {
        if let Some(entries) = self.entries.as_ref().filter(|_| entry.body.len() <= self.answer_most) {
            entries.insert(key, entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(version: &str, identity: Identity) -> Key {
        Key {
            name: "dga".parse().unwrap(),
            version: version.parse().unwrap(),
            identity,
            function: "apply".into(),
            arguments: "{}".into(),
        }
    }

    fn entry(bytes: usize) -> Entry {
        Entry {
            body: vec![b'x'; bytes].into(),
            value: Arc::default(),
            instance: "a".into(),
            url: "http://h".into(),
            status: 200,
        }
    }

    #[test]
    fn only_the_same_content_of_the_same_version_is_found() {
        let cache = Cache::new(&Policy::default());
        cache.put(key("1.0", Identity::Digest("d".into())), entry(1));
        assert!(cache.get(&key("1.0", Identity::Digest("d".into()))).is_some());
        for other in [
            key("1.0", Identity::Digest("e".into())),
            key("1.1", Identity::Digest("d".into())),
            key("1.0", Identity::Registration(1)),
        ] {
            assert!(cache.get(&other).is_none());
        }
    }

    #[test]
    fn nothing_is_kept_when_off_or_too_large() {
        let off = Cache::new(&Policy::off());
        off.put(key("1.0", Identity::Registration(1)), entry(1));
        assert!(!off.is_on() && off.get(&key("1.0", Identity::Registration(1))).is_none());
        let on = Cache::new(&Policy::default());
        on.put(key("1.0", Identity::Registration(1)), entry((16 << 10) + 1));
        assert!(on.get(&key("1.0", Identity::Registration(1))).is_none());
    }

    #[test]
    fn answers_go_after_their_time() {
        let cache = Cache::new(&Policy { ttl: Duration::from_millis(20), ..Policy::default() });
        cache.put(key("1.0", Identity::Registration(1)), entry(1));
        let start = std::time::Instant::now();
        while cache.get(&key("1.0", Identity::Registration(1))).is_some() {
            assert!(start.elapsed() < Duration::from_secs(5), "still there");
            std::thread::yield_now();
        }
        assert!(start.elapsed() >= Duration::from_millis(19));
    }
}
