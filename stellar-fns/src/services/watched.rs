//! A file that is read into memory, and again when another has taken its place.
//!
//! Readers never wait for a reload: while one of them reads the new file, the others go on with what was read before. A file that can't be read
//! leaves what was there in use.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};

/// How often it is looked whether a file has changed.
pub(super) const LOOK: Duration = Duration::from_secs(1);

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
    /// Held while reading; what was read last, whether or not it could be used.
    seen: Mutex<Option<Stamp>>,
    current: RwLock<Option<Result<Arc<T>, Unusable>>>,
}

impl<T> Watched<T> {
    /// Reads nothing yet.
    pub(super) fn new(path: PathBuf, every: Duration, read: Reader<T>) -> Self {
        let (next, seen, current) = (AtomicU64::new(0), Mutex::new(None), RwLock::new(None));
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

    /// Reads the file if it is another than that read last. An error only where something read earlier stays in use.
    fn look(&self) -> Result<(), Unusable> {
        let Some(mut seen) = self.seen.try_lock().or_else(|| self.is_empty().then(|| self.seen.lock())) else {
            return Ok(());
        };
        let stamp = Stamp::of(&self.path);
        if stamp.is_some() && stamp == *seen {
            return Ok(());
        }
        // Taken before the file is read: what changes meanwhile is noticed by the next look.
        let read = (self.read)(&self.path);
        *seen = stamp;
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
        let watched = Watched::new(path.clone(), Duration::ZERO, number);
        assert!(watched.get(|_| panic!("nothing stays in use")).is_err());
        replace(&path, "1");
        assert_eq!(*watched.get(|_| panic!("it can be read")).unwrap(), 1);
        replace(&path, "2");
        assert_eq!(*watched.get(|_| panic!("it can be read")).unwrap(), 2);
        replace(&path, "no number");
        let mut told = Vec::new();
        assert_eq!(*watched.get(|unusable| told.push(unusable.reason.clone())).unwrap(), 2);
        assert_eq!(*watched.get(|_| panic!("the same bad file is not read twice")).unwrap(), 2);
        assert_eq!(told, ["is no number"]);
        fs::remove_file(&path).unwrap();
        assert_eq!(*watched.get(|_| ()).unwrap(), 2);
        replace(&path, "3");
        assert_eq!(*watched.get(|_| panic!("it can be read")).unwrap(), 3);
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
