//! A new state of a store: the old file copied, changed beside it, and renamed into its place.
//!
//! Whoever reads goes on with the old file until the new one is whole on the disk. A program that is killed leaves `<store>.new`, which the next one
//! throws away; a lock on `<store>.lock` keeps two from changing the store at once.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use redb::{Database, WriteTransaction};

use super::format::{ABOUT, ENRICHMENTS, LAYOUT, VERSION, create, guarded};
use super::store::Error;

/// A change of a store under way. Dropped before it is published, it has changed nothing.
pub(super) struct Update {
    store: PathBuf,
    new: PathBuf,
    database: Option<Database>,
    /// Holds the lock.
    _lock: File,
}

impl Update {
    /// Begins with what the store holds now, if it is there.
    pub(super) fn begin(store: &Path) -> Result<Self, Error> {
        // A link is followed here, so that the file behind it is replaced and not the link.
        let store = &fs::canonicalize(store).unwrap_or_else(|_| store.to_path_buf());
        let (new, lock) = (beside(store, ".new"), beside(store, ".lock"));
        let lock_failed = |source: io::Error| unwritten("lock", &lock, source);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock).map_err(lock_failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy { path: store.clone() }),
            Err(TryLockError::Error(source)) => return Err(lock_failed(source)),
        }
        remove(&new)?;
        match fs::copy(store, &new) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && !store.exists() => {}
            Err(error) => {
                // What is left of it is of no use; why it could not be copied is what counts.
                let _ = remove(&new);
                return Err(unwritten("copy the store to", &new, error));
            }
        }
        let mut update = Self { store: store.clone(), new, database: None, _lock: file };
        if update.new.exists() {
            // Only what can be read is built upon; else a file that is no store at all would be replaced.
            super::format::open(store)?;
        }
        update.database = Some(create(&update.new)?);
        Ok(update)
    }

    /// Changes the new state. `change` says whether it is to take the place of the old one.
    pub(super) fn apply<T>(
        mut self,
        change: impl FnOnce(&WriteTransaction) -> Result<(T, bool), Error>,
    ) -> Result<T, Error> {
        let new = self.new.clone();
        let Some(database) = self.database.take() else {
            return Err(Error::Busy { path: self.store.clone() });
        };
        let (value, changed) = guarded(&new, || {
            let failed = |source: redb::Error| unwritten("write", &new, source);
            let write = database.begin_write().map_err(|error| failed(error.into()))?;
            // Made even where nothing is loaded into them, so that what was published can be opened.
            write.open_table(ENRICHMENTS).map_err(|error| failed(error.into()))?;
            let about = write.open_table(ABOUT).map_err(|error| failed(error.into()));
            about?.insert(LAYOUT, VERSION).map_err(|error| failed(error.into()))?;
            let (value, changed) = change(&write)?;
            if changed {
                write.commit().map_err(|error| failed(error.into()))?;
            }
            Ok((value, changed))
        })?;
        guarded(&new, || database.close().map_err(|error| unwritten("close", &new, error)))?;
        if changed {
            self.publish()?;
        }
        Ok(value)
    }

    fn publish(&self) -> Result<(), Error> {
        let failed = |source| unwritten("publish", &self.store, source);
        File::open(&self.new).and_then(|file| file.sync_all()).map_err(failed)?;
        fs::rename(&self.new, &self.store).map_err(failed)?;
        let dir = self.store.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)
    }
}

impl Drop for Update {
    fn drop(&mut self) {
        self.database = None;
        // Published, it is gone already; else the next change removes it.
        let _ = remove(&self.new);
    }
}

fn remove(file: &Path) -> Result<(), Error> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritten("remove", file, error)),
        _ => Ok(()),
    }
}

fn beside(store: &Path, ending: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

pub(super) fn unwritten(
    action: &'static str,
    path: &Path,
    source: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::Unwritten { action, path: path.into(), source: Box::new(source) }
}
