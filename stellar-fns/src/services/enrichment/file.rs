//! Reading a store's file, and the file that takes its place.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redb::ReadableTable;

use super::format::{self, Opened, damaged, guarded, unusable};
use super::store::{EnrichmentStore, Error, Found, Group};
use crate::services::watched::{LOOK, Unusable, Watched};

/// A store in a file. A new file in its place is noticed within a second.
pub struct FileStore {
    path: PathBuf,
    opened: Watched<Opened>,
    /// Why a new file can't be used, until it is told.
    trouble: Mutex<Option<Unusable>>,
}

/// How much a store holds of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The group.
    pub group: Group,
    /// Its indicators.
    pub indicators: u64,
}

impl fmt::Debug for FileStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "FileStore({})", self.path.display())
    }
}

impl FileStore {
    /// The store in this file. It is opened when it is first asked.
    pub fn new(path: PathBuf) -> Self {
        Self::looking(path, LOOK)
    }

    pub(super) fn looking(path: PathBuf, every: Duration) -> Self {
        let opened = Watched::new(path.clone(), every, |path| {
            format::open(path).map_err(|error| Unusable::new(path, reason(&error)))
        });
        Self { path, opened, trouble: Mutex::default() }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All groups, by name.
    pub fn list(&self) -> Result<Vec<Listed>, Error> {
        let opened = self.opened()?;
        guarded(&self.path, || {
            let mut groups: Vec<Listed> = Vec::new();
            for row in opened.rows.iter().map_err(|error| damaged(&self.path, error))? {
                let (key, _) = row.map_err(|error| damaged(&self.path, error))?;
                let (table, family, kind, _) = key.value();
                match groups.last_mut() {
                    Some(Listed { group, indicators })
                        if (group.table.as_str(), group.family.as_str(), group.kind.as_str())
                            == (table, family, kind) =>
                    {
                        *indicators += 1;
                    }
                    _ => {
                        let group = Group { table: table.into(), family: family.into(), kind: kind.into() };
                        groups.push(Listed { group, indicators: 1 });
                    }
                }
            }
            Ok(groups)
        })
    }

    fn opened(&self) -> Result<Arc<Opened>, Error> {
        // A load never puts a file that can't be used in the place of one that can; whatever else did it, the old one goes on answering.
        let keep = |unusable_file: &Unusable| *self.trouble.lock() = Some(unusable_file.clone());
        self.opened.get(keep).map_err(|unusable_file| unusable(&self.path, unusable_file.reason))
    }

    fn row<T>(
        &self,
        group: &Group,
        indicator: &str,
        read: impl FnOnce(&[u8]) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let opened = self.opened()?;
        guarded(&self.path, || {
            let key = (group.table.as_str(), group.family.as_str(), group.kind.as_str(), indicator);
            let found = opened.rows.get(key).map_err(|error| damaged(&self.path, error))?;
            found.map(|found| read(found.value())).transpose()
        })
    }
}

impl EnrichmentStore for FileStore {
    fn get(&self, group: &Group, indicator: &str) -> Result<Option<Found>, Error> {
        self.row(group, indicator, |row| {
            let record = serde_json::from_slice(row).map_err(|error| damaged(&self.path, error))?;
            Ok(Found { record, size: row.len() })
        })
    }

    fn exists(&self, group: &Group, indicator: &str) -> Result<bool, Error> {
        Ok(self.row(group, indicator, |_| Ok(()))?.is_some())
    }

    fn trouble(&self) -> Option<Error> {
        self.trouble.lock().take().map(|unusable_file| unusable(&self.path, unusable_file.reason))
    }
}

/// The reason without the path, which is told beside it.
fn reason(error: &Error) -> String {
    match error {
        Error::Unusable { reason, .. } => reason.clone(),
        Error::Damaged { source, .. } => format!("is damaged: {source}"),
        other => other.to_string(),
    }
}
