//! Directories in the making: below `.tmp`, locked while their maker lives, renamed into place or cleared away.

use crate::payload::write_error;
use crate::store::Error;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where directories in the making are, below a store's or a cache's root.
pub(crate) const TMP_DIR: &str = ".tmp";
const LOCK_SUFFIX: &str = ".lock";

/// A directory in the making. Dropped before it is renamed, it goes with all in it.
pub(crate) struct Staging {
    dir: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl Staging {
    /// Makes an empty one below `root`, which is made too, and clears what dead programs left there.
    pub(crate) fn make(root: &Path) -> Result<Staging, Error> {
        let tmp = root.join(TMP_DIR);
        fs::create_dir_all(&tmp).map_err(|error| write_error("make", &tmp, error))?;
        clear_dead(&tmp);
        let name = unique_name();
        let lock_path = tmp.join(format!("{name}{LOCK_SUFFIX}"));
        let lock = File::create_new(&lock_path).map_err(|error| write_error("write", &lock_path, error))?;
        // Nobody else knows the name long enough to hold it: clear_dead locks only for a moment before it deletes.
        lock.lock().map_err(|error| write_error("lock", &lock_path, error))?;
        let dir = tmp.join(name);
        fs::create_dir(&dir).map_err(|error| write_error("make", &dir, error))?;
        Ok(Staging { dir, lock_path, _lock: lock })
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Renames it to `target`, which must not be there, or be an empty directory.
    pub(crate) fn rename_to(&self, target: &Path) -> io::Result<()> {
        fs::rename(&self.dir, target)
    }

    /// Renames it to `target`; what is there goes.
    pub(crate) fn replace(self, target: &Path) -> Result<(), Error> {
        let aside = self.dir.with_extension("old");
        for _ in 0..3 {
            match self.rename_to(target) {
                Ok(()) => {
                    remove(&aside);
                    return Ok(());
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory
                    ) =>
                {
                    remove(&aside);
                    match fs::rename(target, &aside) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => {
                            return Err(write_error("replace", target, error));
                        }
                        _ => {}
                    }
                }
                Err(error) => return Err(write_error("write", target, error)),
            }
        }
        let source = io::Error::other("another program keeps writing it");
        Err(Error::Io { action: "replace", path: target.to_path_buf(), source })
    }

    /// Moves a directory in here, out of everybody's sight, and deletes it; `false` when it was gone.
    pub(crate) fn take(self, dir: &Path) -> Result<bool, Error> {
        match fs::rename(dir, self.dir.join("taken")) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(write_error("delete", dir, error)),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        remove(&self.dir);
        remove(&self.dir.with_extension("old"));
        // A lock file that stays is cleared by a later program.
        let _ = fs::remove_file(&self.lock_path);
    }
}

fn remove(path: &Path) {
    match fs::remove_dir_all(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            // Perhaps a file; else it is cleared by a later program.
            if fs::remove_file(path).is_err() {
                tracing::debug!(path = %path.display(), %error, "left-over could not be removed");
            }
        }
    }
}

/// Process id, time and a counter: unlike the names of all others that live.
pub(crate) fn unique_name() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(60).collect();
    format!("{host}-{}-{nanos:x}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// Deletes what belongs to no living program: its lock is free.
fn clear_dead(tmp: &Path) {
    let Ok(entries) = fs::read_dir(tmp) else { return };
    for lock_path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        let Some(name) = lock_path.file_name().and_then(|name| name.to_str()?.strip_suffix(LOCK_SUFFIX)) else {
            continue;
        };
        let Ok(lock) = File::open(&lock_path) else { continue };
        match lock.try_lock() {
            Ok(()) => {
                let dir = tmp.join(name);
                if dir.exists() {
                    remove(&dir);
                    remove(&dir.with_extension("old"));
                    let _ = fs::remove_file(&lock_path);
                } else if is_old(&lock_path) {
                    // Without its directory it may be one that is being made this moment.
                    let _ = fs::remove_file(&lock_path);
                }
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                tracing::debug!(path = %lock_path.display(), %error, "left-over could not be looked at");
            }
        }
    }
}

fn is_old(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age.as_secs() > 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_program_left_is_cleared_and_what_a_living_one_makes_is_not() {
        let root = tempfile::tempdir().unwrap();
        let tmp = root.path().join(TMP_DIR);
        fs::create_dir_all(tmp.join("dead/files")).unwrap();
        fs::write(tmp.join("dead.lock"), "").unwrap();
        let living = Staging::make(root.path()).unwrap();
        assert!(!tmp.join("dead").exists());
        let other = Staging::make(root.path()).unwrap();
        assert!(living.dir().exists());
        drop(other);
        let target = root.path().join("target");
        fs::write(&target, "a file in its place").unwrap();
        living.replace(&target).unwrap();
        assert!(target.is_dir());
        assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0);
    }
}
