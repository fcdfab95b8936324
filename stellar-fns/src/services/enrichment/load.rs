//! Loading files into a store, and taking out of it again: each is one transaction.

use std::io::BufRead;
use std::path::Path;

use redb::{Table, WriteTransaction};

use super::format::{ENRICHMENTS, Key};
use super::records::{Bad, Format, records};
use super::store::{Error, Group};
use super::update::{Update, unwritten};

/// How much is loaded, and into what.
#[derive(Clone, Debug)]
pub struct Load<'a> {
    /// The store's file; it is made if it isn't there.
    pub store: &'a Path,
    /// Where the records go.
    pub group: &'a Group,
    /// The column or key that is looked up; none: the first column, or the key `indicator`.
    pub indicator: Option<&'a str>,
    /// Whether what the group held before goes.
    pub replace: bool,
    /// Whether lines that are no records are left out; else one of them keeps everything from being loaded.
    pub skip_bad: bool,
}

/// A file to load.
pub struct Source<'a> {
    /// Its name, for messages.
    pub name: String,
    /// How it is written.
    pub format: Format,
    /// Its content.
    pub input: Box<dyn BufRead + 'a>,
}

/// A line that is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine<'a> {
    /// Its file.
    pub file: &'a str,
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: &'a str,
}

/// What a load has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Indicators that were not there before.
    pub added: u64,
    /// Indicators that had another record.
    pub changed: u64,
    /// Indicators that had this record already.
    pub unchanged: u64,
    /// Indicators of the group that are gone, where it was replaced.
    pub removed: u64,
    /// Lines that are no records.
    pub bad: u64,
    /// Whether the store holds it now. False where bad lines kept everything from being loaded.
    pub stored: bool,
}

/// Loads files into a store: all of them, or nothing. `bad` is told of each line that is no record. Of equal indicators the last counts.
pub fn load<'a>(
    what: &Load<'_>,
    sources: impl IntoIterator<Item = Source<'a>>,
    bad: &mut dyn FnMut(BadLine<'_>),
) -> Result<Loaded, Error> {
    Update::begin(what.store)?.apply(|write| {
        let mut counts = Loaded::default();
        let mut before = 0;
        {
            let mut table = open(write, what.store)?;
            if what.replace {
                before = clear(&mut table, what.group, None, what.store)?;
            }
            for source in sources {
                let read = records(&source.name, source.input, &source.format, what.indicator)?;
                for record in read {
                    match record? {
                        Ok((indicator, record)) => {
                            let json = serde_json::to_vec(&record)
                                .map_err(|error| unwritten("write a record to", what.store, error))?;
                            insert(&mut table, what, &indicator, &json, &mut counts)?;
                        }
                        Err(Bad { line, reason }) => {
                            counts.bad += 1;
                            bad(BadLine { file: &source.name, line, reason: &reason });
                        }
                    }
                }
            }
        }
        counts.removed = before;
        counts.stored = what.skip_bad || counts.bad == 0;
        let different = counts.added + counts.changed + counts.removed > 0 || !what.store.exists();
        Ok((counts, counts.stored && different))
    })
}

/// Takes an indicator out of a store, or all of a group; how many there were.
pub fn delete(store: &Path, group: &Group, indicator: Option<&str>) -> Result<u64, Error> {
    Update::begin(store)?.apply(|write| {
        let gone = clear(&mut open(write, store)?, group, indicator, store)?;
        Ok((gone, gone > 0))
    })
}

fn open<'a>(write: &'a WriteTransaction, store: &Path) -> Result<Table<'a, Key, &'static [u8]>, Error> {
    write.open_table(ENRICHMENTS).map_err(|error| unwritten("write", store, error))
}

fn insert(
    table: &mut Table<'_, Key, &'static [u8]>,
    what: &Load<'_>,
    indicator: &str,
    record: &[u8],
    counts: &mut Loaded,
) -> Result<(), Error> {
    let group = what.group;
    let key = (group.table.as_str(), group.family.as_str(), group.kind.as_str(), indicator);
    let before = table.insert(key, record).map_err(|error| unwritten("write", what.store, error))?;
    match before {
        None => counts.added += 1,
        Some(before) if before.value() == record => counts.unchanged += 1,
        Some(_) => counts.changed += 1,
    }
    Ok(())
}

/// Removes one indicator of a group, or all; how many there were.
fn clear(
    table: &mut Table<'_, Key, &'static [u8]>,
    group: &Group,
    indicator: Option<&str>,
    store: &Path,
) -> Result<u64, Error> {
    let failed = |error: redb::StorageError| unwritten("write", store, error);
    let (name, family, kind) = (group.table.as_str(), group.family.as_str(), group.kind.as_str());
    if let Some(indicator) = indicator {
        let gone = table.remove((name, family, kind, indicator)).map_err(failed)?;
        return Ok(gone.is_some().into());
    }
    let mut gone = 0;
    let first = (name, family, kind, "");
    // The least type after this one begins with it and goes on with the least character.
    let after = format!("{kind}\0");
    table
        .retain_in(first..(name, family, after.as_str(), ""), |_, _| {
            gone += 1;
            false
        })
        .map_err(failed)?;
    Ok(gone)
}
