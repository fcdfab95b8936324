//! The layout of a store's file: a redb database with two tables.
//!
//! `enrichments` maps (table, family, type, indicator) to the record as JSON; `about` holds the number of this layout. A file is written once and then
//! only read: a change is a new file.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;

use redb::{Builder, Database, ReadOnlyDatabase, ReadOnlyTable, ReadableDatabase, TableDefinition, TableError};

use super::store::Error;

/// A row's key: table, family, type, indicator.
pub(super) type Key = (&'static str, &'static str, &'static str, &'static str);

pub(super) const ENRICHMENTS: TableDefinition<'_, Key, &[u8]> = TableDefinition::new("enrichments");
pub(super) const ABOUT: TableDefinition<'_, &str, u32> = TableDefinition::new("about");
pub(super) const LAYOUT: &str = "layout";
/// The number of this layout.
pub(super) const VERSION: u32 = 1;

/// Bytes of the file that are kept in memory by each process; the system's own cache comes on top.
const CACHE: usize = 64 << 20;

/// What was opened for reading.
pub(super) struct Opened {
    pub(super) rows: ReadOnlyTable<Key, &'static [u8]>,
    /// Holds the lock on the file.
    _database: ReadOnlyDatabase,
}

pub(super) fn unusable(path: &Path, reason: impl Into<String>) -> Error {
    Error::Unusable { path: path.into(), reason: reason.into() }
}

/// Runs what reads a store. redb may panic on a file that somebody altered; that is an error like others here.
pub(super) fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    tell_no_panics();
    let outer = GUARDED.replace(true);
    let given = catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(outer);
    given.unwrap_or_else(|_| {
        Err(Error::Damaged { path: path.into(), source: "it was altered by another program".into() })
    })
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Panics of what is guarded are errors, which are told as such: the process's hook is not to print them besides. For all others it stays as it is.
fn tell_no_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                others(panic);
            }
        }));
    });
}

/// Opens a store for reading.
pub(super) fn open(path: &Path) -> Result<Opened, Error> {
    guarded(path, || {
        let database = Builder::new().set_cache_size(CACHE).open_read_only(path);
        let database = database.map_err(|error| unusable(path, format!("can't be opened: {error}")))?;
        let read = database.begin_read().map_err(|error| damaged(path, error))?;
        let no_store = || unusable(path, "holds no enrichments; write one with stellar enrichment load");
        let about = match read.open_table(ABOUT) {
            Ok(about) => about,
            Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => return Err(no_store()),
            Err(error) => return Err(damaged(path, error)),
        };
        let version = about.get(LAYOUT).map_err(|error| damaged(path, error))?.map(|version| version.value());
        match version {
            Some(VERSION) => {}
            Some(newer) => return Err(unusable(path, format!("has layout {newer}, which a newer program wrote"))),
            None => return Err(no_store()),
        }
        let rows = read.open_table(ENRICHMENTS).map_err(|error| damaged(path, error))?;
        Ok(Opened { rows, _database: database })
    })
}

/// Opens a file for writing, or makes a new one.
pub(super) fn create(path: &Path) -> Result<Database, Error> {
    guarded(path, || {
        let database = Builder::new().set_cache_size(CACHE).create(path);
        database.map_err(|error| unusable(path, format!("can't be opened: {error}")))
    })
}

pub(super) fn damaged(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Damaged { path: path.into(), source: Box::new(source) }
}
