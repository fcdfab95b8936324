//! A file that is read into memory, and again when another has taken its place.
//!
//! Readers never wait for a reload: while one of them reads the new file, the others go on with what was read before. A file that can't be read
//! leaves what was there in use, and is tried again now and then: what was wrong may lie beside the file, such as a right or a disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};

/// How often it is looked whether a file has changed.
pub(super) const LOOK: Duration = Duration::from_secs(1);
/// After how many looks a file that could not be used is read again though it is the same.
const AGAIN: u32 = 10;

/// Why a file can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {reason}", path.display())]
pub(super) struct Unusable {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, and what to do.
    pub reason: String,
}

impl Unusable {
    pub(super) fn new(path: &Path, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// None where there is no file; reading it will say so.
    fn of(path: &Path) -> Option<Self> {
        let data = fs::metadata(path).ok()?;
        let modified = (data.mtime(), data.mtime_nsec());
        Some(Self { device: data.dev(), inode: data.ino(), size: data.size(), modified })
    }
}

/// What was read last, whether or not it could be used.
#[derive(Debug, Default)]
struct Seen {
    stamp: Option<Stamp>,
    /// When it could not be used.
    failed: Option<Instant>,
}

type Reader<T> = fn(&Path) -> Result<T, Unusable>;

/// A file and what was read from it.
#[derive(Debug)]
pub(super) struct Watched<T> {
    path: PathBuf,
    read: Reader<T>,
    every: Duration,
    start: Instant,
    /// When to look again, in milliseconds from the start.
    next: AtomicU64,
    /// Held while reading.
    seen: Mutex<Seen>,
    current: RwLock<Option<Result<Arc<T>, Unusable>>>,
}

impl<T> Watched<T> {
    /// Reads nothing yet.
    pub(super) fn new(path: PathBuf, every: Duration, read: Reader<T>) -> Self {
        let (next, seen, current) = (AtomicU64::new(0), Mutex::default(), RwLock::new(None));
        Self { path, read, every, start: Instant::now(), next, seen, current }
    }

    /// What is in the file. `trouble` is told when a new state of it can't be used and the one before stays in use.
    pub(super) fn get(&self, trouble: impl FnOnce(&Unusable)) -> Result<Arc<T>, Unusable> {
        // For the first time whoever comes first reads it, and the others wait.
        if (self.is_due() || self.is_empty())
            && let Err(unusable) = self.look()
        {
            trouble(&unusable);
        }
        let nothing = || Err(Unusable::new(&self.path, "was not read"));
        self.current.read().clone().unwrap_or_else(nothing)
    }

    fn is_due(&self) -> bool {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let now = milliseconds(self.start.elapsed());
        let next = self.next.load(Ordering::Relaxed);
        let then = now.saturating_add(milliseconds(self.every));
        now >= next && self.next.compare_exchange(next, then, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Reads the file if it is another than that read last, or could not be used a while ago. An error only where something read earlier stays in use.
    fn look(&self) -> Result<(), Unusable> {
        let Some(mut seen) = self.seen.try_lock().or_else(|| self.is_empty().then(|| self.seen.lock())) else {
            return Ok(());
        };
        let stamp = Stamp::of(&self.path);
        let again = seen.failed.is_some_and(|then| then.elapsed() >= self.every * AGAIN);
        if stamp.is_some() && stamp == seen.stamp && !again {
            return Ok(());
        }
        // Taken before the file is read: what changes meanwhile is noticed by the next look.
        let read = (self.read)(&self.path);
        *seen = Seen { stamp, failed: read.is_err().then(Instant::now) };
        let mut current = self.current.write();
        match (read, &*current) {
            (Err(unusable), Some(Ok(_))) => Err(unusable),
            (read, _) => {
                *current = Some(read.map(Arc::new));
                Ok(())
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.current.read().is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize};

    use super::*;

    fn number(path: &Path) -> Result<i32, Unusable> {
        let text = fs::read_to_string(path).map_err(|error| Unusable::new(path, error.to_string()))?;
        text.parse().map_err(|_| Unusable::new(path, "is no number"))
    }

    fn replace(path: &Path, text: &str) {
        let beside = path.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, path).unwrap();
    }

    #[test]
    fn a_replaced_file_is_read_again_and_a_bad_one_leaves_the_last_good_in_use() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("number");
        let watched = Watched::new(path.clone(), Duration::from_nanos(1), number);
        assert!(watched.get(|_| panic!("nothing stays in use")).is_err());
        replace(&path, "1");
        assert_eq!(*watched.get(|_| panic!("it can be read")).unwrap(), 1);
        replace(&path, "2");
        assert_eq!(*watched.get(|_| panic!("it can be read")).unwrap(), 2);
        replace(&path, "no number");
        let mut told = Vec::new();
        assert_eq!(*watched.get(|unusable| told.push(unusable.reason.clone())).unwrap(), 2);
        assert_eq!(told, ["is no number"]);
        fs::remove_file(&path).unwrap();
        assert_eq!(*watched.get(|_| ()).unwrap(), 2);
        replace(&path, "3");
        assert_eq!(*watched.get(|_| panic!("it can be read")).unwrap(), 3);
    }

    #[test]
    fn a_file_that_could_not_be_used_is_tried_again_though_it_is_the_same() {
        static READABLE: AtomicBool = AtomicBool::new(false);
        static READ: AtomicUsize = AtomicUsize::new(0);
        let read = |path: &Path| {
            READ.fetch_add(1, Ordering::Relaxed);
            READABLE.load(Ordering::Relaxed).then_some(()).ok_or_else(|| Unusable::new(path, "can't be read"))
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        let often = Watched::new(file.path().into(), Duration::ZERO, read);
        assert!(often.get(|_| ()).is_err());
        READABLE.store(true, Ordering::Relaxed);
        assert!(often.get(|_| ()).is_ok() && often.get(|_| ()).is_ok());
        assert_eq!(READ.swap(0, Ordering::Relaxed), 2, "what could be used is not read again");
        READABLE.store(false, Ordering::Relaxed);
        let seldom = Watched::new(file.path().into(), Duration::from_secs(3600), read);
        assert!(seldom.get(|_| ()).is_err() && seldom.look().is_ok() && seldom.get(|_| ()).is_err());
        assert_eq!(READ.load(Ordering::Relaxed), 1, "what can't be used is not read at each look");
    }

    #[test]
    fn nobody_sees_an_unread_file_while_many_ask_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("number");
        replace(&path, "7");
        let watched = Watched::new(path, LOOK, number);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| assert_eq!(*watched.get(|_| panic!("it can be read")).unwrap(), 7));
            }
        });
    }
}
