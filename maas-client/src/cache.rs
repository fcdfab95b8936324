//! The one cache of models' answers, for callers that score the same input again and again.
//!
//! The key holds what the answer depends on: name, version, content (digest, or the registration's transaction where no
//! digest is known), function and canonical arguments. Failures are never put in: there is no way to.

#[cfg(feature = "call")]
use crate::call::Answer;
use crate::discovery::{Identity, Version};
#[cfg(feature = "call")]
use crate::model::ModelId;
use bytes::Bytes;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache as Quick, DefaultLifecycle};
use std::sync::Arc;
use std::time::{Duration, Instant};

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

/// What an answer depends on, in one piece: it is made for each call, and hashed and compared as a whole.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Key(Vec<u8>);

impl Key {
    /// The key of what a function of this version answers. `arguments` appends them in their canonical form and says whether they have one; without it there is no key.
    pub fn new(version: &Version, function: &str, arguments: impl FnOnce(&mut Vec<u8>) -> bool) -> Option<Key> {
        let mut key = Vec::with_capacity(KEY_ROOM);
        append(&mut key, version.name().as_str().as_bytes());
        append(&mut key, version.version().as_str().as_bytes());
        match version.identity() {
            Identity::Digest(digest) => append(&mut key, digest.as_bytes()),
            // A length that no digest has keeps the two kinds apart.
            Identity::Registration(transaction) => {
                key.extend(u64::MAX.to_le_bytes());
                key.extend(transaction.to_le_bytes());
            }
        }
        append(&mut key, function.as_bytes());
        arguments(&mut key).then_some(Key(key))
    }
}

/// Enough for most keys, bytes: a digest is written in 71, the lengths take 32.
const KEY_ROOM: usize = 224;

/// A part with its length before it, so that no two keys are written the same.
fn append(key: &mut Vec<u8>, part: &[u8]) {
    key.extend((part.len() as u64).to_le_bytes());
    key.extend_from_slice(part);
}

/// An answer as it is kept.
#[derive(Debug)]
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

#[cfg(feature = "call")]
impl Entry {
    /// What is kept of an answer. The body is copied: what came is a part of the connection's buffer, all of which would be kept with it.
    pub(crate) fn of(answer: &Answer) -> Entry {
        Entry {
            body: Bytes::copy_from_slice(&answer.body),
            value: answer.value.clone(),
            instance: answer.instance.clone(),
            url: answer.url.clone(),
            status: answer.status,
        }
    }

    /// The answer once more.
    pub(crate) fn answer(&self, model: ModelId, latency: Duration) -> Answer {
        Answer {
            body: self.body.clone(),
            value: self.value.clone(),
            model,
            instance: self.instance.clone(),
            url: self.url.clone(),
            status: self.status,
            latency,
            cached: true,
            tries: 0,
        }
    }
}

/// An entry, and until when it is good; none: as long as it is kept.
#[derive(Clone)]
struct Kept {
    until: Option<Instant>,
    entry: Arc<Entry>,
}

impl Kept {
    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }
}

/// Keyed anew in each process, as the arguments may be anybody's.
type Hashing = foldhash::quality::RandomState;

/// The cache. What was never asked for again makes room first.
pub struct Cache {
    entries: Option<Quick<Key, Kept, UnitWeighter, Hashing>>,
    ttl: Duration,
    answer_most: usize,
}

impl Cache {
    /// An empty one.
    pub fn new(policy: &Policy) -> Cache {
        let on = !policy.ttl.is_zero() && policy.size > 0;
        let entries = on.then(|| {
            let most = usize::try_from(policy.size).unwrap_or(usize::MAX);
            Quick::with(most, policy.size, UnitWeighter, Hashing::default(), DefaultLifecycle::default())
        });
        Cache { entries, ttl: policy.ttl, answer_most: policy.answer_most }
    }

    /// False when nothing is ever kept.
    pub fn is_on(&self) -> bool {
        self.entries.is_some()
    }

    /// The answer, if it is known and still good.
    pub fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        let entries = self.entries.as_ref()?;
        let kept = entries.get(key)?;
        if kept.is_over() {
            // Another may have put a new one in its place meanwhile.
            entries.remove_if(key, Kept::is_over);
            return None;
        }
        Some(kept.entry)
    }

    /// Keeps a good answer, unless it is too large.
    pub fn put(&self, key: Key, entry: Entry) {
        if let Some(entries) = self.entries.as_ref().filter(|_| entry.body.len() <= self.answer_most) {
            let until = Instant::now().checked_add(self.ttl);
            entries.insert(key, Kept { until, entry: Arc::new(entry) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(version: &str, identity: Identity) -> Key {
        let version = Version::of_content("dga".parse().unwrap(), version.parse().unwrap(), identity);
        of(&version, "apply", "{}")
    }

    fn of(version: &Version, function: &str, arguments: &str) -> Key {
        let write = |key: &mut Vec<u8>| {
            key.extend_from_slice(arguments.as_bytes());
            true
        };
        Key::new(version, function, write).unwrap()
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
    fn no_part_of_a_key_passes_for_another() {
        let version = Version::of_content("dga".parse().unwrap(), "1.0".parse().unwrap(), Identity::Registration(1));
        assert_eq!(of(&version, "apply", "{}"), of(&version, "apply", "{}"));
        assert_ne!(of(&version, "apply{", "}"), of(&version, "apply", "{}"));
        assert!(Key::new(&version, "apply", |_| false).is_none());
    }

    #[test]
    fn no_more_than_its_size_is_kept_and_any_time_is_long_enough() {
        let cache = Cache::new(&Policy { size: 8, ttl: Duration::MAX, ..Policy::default() });
        let keys = || (0..1_000).map(|number| key("1.0", Identity::Registration(number)));
        keys().for_each(|key| cache.put(key, entry(1)));
        let kept = keys().filter(|key| cache.get(key).is_some()).count();
        assert!((1..=8).contains(&kept), "{kept}");
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
